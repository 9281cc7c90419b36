import { describe, expect, it } from 'vitest';
import { toRequestChanges } from '../../../../server/traces/sessions/requestChanges.ts';
import type { WholeExchange } from '../../../../server/traces/store.ts';
import { said } from '../recordedTraffic.ts';
import { anExchange } from './aReader.ts';

const call = { type: 'function_call', call_id: 'c1', name: 'exec_command', arguments: '{}' };
const output = { type: 'function_call_output', call_id: 'c1', output: 'ok' };
const shell = { type: 'function', name: 'exec_command', parameters: {} };
const search = { type: 'web_search' };

function asked(number: number, request: object, dialect: 'responses' | 'chat' | 'gemini' = 'responses'): WholeExchange {
  return { exchange: anExchange(number, { dialect }), request, response: null };
}

const words = (changes: readonly { change: string; name: string }[]) =>
  changes.map(({ change, name }) => `${change} ${name}`);

describe('what changed between two requests', () => {
  it('is what was added, when the conversation only grew', () => {
    const before = asked(1, { model: 'm', input: [said('user', 'Hi')], tools: [shell] });
    const after = asked(2, { model: 'm', input: [said('user', 'Hi'), call, output], tools: [shell] });
    const changes = toRequestChanges(before, after);
    expect(changes).toMatchObject({
      previousId: 'exchange-1',
      keptItems: 1,
      itemsBefore: 1,
      itemsAfter: 3,
      prefixKept: true,
    });
    expect(words(changes.items)).toEqual(['added function_call c1', 'added function_call_output c1']);
    expect([...changes.tools, ...changes.settings]).toEqual([]);
  });

  it('shows where the prefix was lost: an item rewritten, one removed', () => {
    const before = asked(1, { input: [said('user', 'A'), call, output, said('user', 'B')] });
    const after = asked(2, { input: [said('user', 'A'), call, { ...output, output: 'shortened' }] });
    const changes = toRequestChanges(before, after);
    expect(changes).toMatchObject({ keptItems: 2, prefixKept: false });
    expect(words(changes.items)).toEqual(['changed function_call_output c1', 'removed message user']);
    expect(changes.items[0]).toMatchObject({
      before: JSON.stringify(output),
      after: expect.stringContaining('shortened'),
    });
  });

  it('sees an item that was put in between, and not what follows it', () => {
    const before = asked(1, { input: [said('user', 'A'), said('user', 'B')] });
    const after = asked(2, { input: [said('user', 'A'), said('user', 'X'), said('user', 'B')] });
    expect(words(toRequestChanges(before, after).items)).toEqual(['added message user']);
  });

  it('names tools that came, went or were reworded, in namespaces and in additional_tools too', () => {
    const space = (description: string) => ({
      type: 'namespace',
      name: 'mcp__notes',
      tools: [{ name: 'add', description }],
    });
    const before = asked(1, { input: [{ type: 'additional_tools', tools: [space('old')] }], tools: [shell, search] });
    const after = asked(2, { input: [{ type: 'additional_tools', tools: [space('new')] }], tools: [shell] });
    const changes = toRequestChanges(before, after);
    expect(words(changes.tools)).toEqual(['removed web_search', 'changed mcp__notes.add']);
    expect(changes.items).toEqual([]);
  });

  it('names settings by their path, and leaves out what only names the turn', () => {
    const settings = {
      reasoning: { effort: 'low', summary: 'auto' },
      client_metadata: { turn: '1' },
      instructions: 'A',
    };
    const before = asked(1, { ...settings, input: [] });
    const after = asked(2, {
      ...settings,
      reasoning: { effort: 'high', summary: 'auto' },
      client_metadata: { turn: '2' },
      previous_response_id: 'r1',
      stream: true,
      input: [],
    });
    expect(toRequestChanges(before, after).settings).toEqual([
      { change: 'changed', name: 'reasoning.effort', before: 'low', after: 'high' },
      { change: 'added', name: 'stream', before: null, after: 'true' },
    ]);
  });

  it('sees words that stand alone change, and tools without a name of their own', () => {
    const words1 = toRequestChanges(asked(1, { input: 'first words' }), asked(2, { input: 'second words' }));
    expect(words1).toMatchObject({ keptItems: 0, itemsBefore: 1, itemsAfter: 1, prefixKept: false });
    expect(words1.items).toMatchObject([{ change: 'changed', before: 'first words', after: 'second words' }]);
    const server = (label: string, url: string) => ({ type: 'mcp', server_label: label, server_url: url });
    const servers = [server('a', '1'), server('b', '2'), search, search];
    const before = asked(1, { input: [], tools: servers });
    const after = asked(2, { input: [], tools: [server('a', 'changed'), search, { ...search, size: 'low' }] });
    expect(words(toRequestChanges(before, after).tools)).toEqual(['changed a', 'removed b', 'changed web_search (2)']);
    const gemini = (...tools: object[]) => asked(3, { contents: [], tools }, 'gemini');
    const read = { functionDeclarations: [{ name: 'read' }] };
    const both = gemini({ ...read, googleSearch: {} }, { codeExecution: {} });
    expect(words(toRequestChanges(both, gemini(read, { codeExecution: {} })).tools)).toEqual(['removed googleSearch']);
  });

  it('sees what stands in another order', () => {
    const other = { ...call, call_id: 'c2' };
    const before = asked(1, { input: [said('user', 'A'), call, other], tools: [shell, search] });
    const moved = toRequestChanges(
      before,
      asked(2, { input: [said('user', 'A'), other, call], tools: [shell, search] }),
    );
    expect(moved).toMatchObject({ keptItems: 1, prefixKept: false });
    expect(moved.items).toEqual([
      {
        change: 'changed',
        name: 'order of items',
        before: 'function_call c1, function_call c2',
        after: 'function_call c2, function_call c1',
      },
    ]);
    const tools = toRequestChanges(
      before,
      asked(2, { input: [said('user', 'A'), call, other], tools: [search, shell] }),
    );
    expect(words(tools.tools)).toEqual(['changed order of tools']);
    expect(tools).toMatchObject({ keptItems: 0, prefixKept: false });
  });

  it('says that the prefix is lost when what stands before the conversation changed', () => {
    const request = { model: 'm', instructions: 'A', reasoning: { effort: 'low' }, tools: [shell] };
    const input = [{ type: 'additional_tools', tools: [search] }, said('user', 'A')];
    const kept = (more: object) =>
      toRequestChanges(asked(1, { ...request, input }), asked(2, { ...request, input: [...input, call], ...more }));
    expect(kept({ reasoning: { effort: 'high' }, prompt_cache_key: 'k' })).toMatchObject({
      keptItems: 1,
      prefixKept: true,
    });
    for (const more of [{ model: 'n' }, { instructions: 'B' }, { tools: [] }, { tools: [shell, search] }]) {
      expect(kept(more)).toMatchObject({ keptItems: 0, prefixKept: false });
    }
    const later = { type: 'additional_tools', tools: [shell] };
    expect(kept({ input: [...input, later] })).toMatchObject({ keptItems: 1, prefixKept: true });
    expect(kept({ input: [later, ...input.slice(1)] })).toMatchObject({ keptItems: 0, prefixKept: false });
    const atGoogle = (name: string): WholeExchange => {
      const url = `https://generativelanguage.googleapis.com/v1beta/models/${name}:generateContent?alt=sse`;
      return {
        ...asked(1, { contents: [{ role: 'user' }] }, 'gemini'),
        exchange: anExchange(1, { dialect: 'gemini', url }),
      };
    };
    expect(words(toRequestChanges(atGoogle('pro'), atGoogle('flash')).settings)).toEqual(['changed model']);
  });

  it('takes marks of what to cache for no change of what they mark', () => {
    const mark = { cache_control: { type: 'ephemeral' } };
    const text = { type: 'text', text: 'Hi' };
    const answer = { role: 'assistant', content: [{ type: 'text', text: 'Hello' }] };
    const request = (messages: object[], id: string, upstreamHost = 'api.anthropic.com'): WholeExchange => {
      const system = [
        { type: 'text', text: `x-anthropic-billing-header: cch=${id};` },
        { ...text, ...mark },
      ];
      return {
        ...asked(1, { model: 'm', system, messages }),
        exchange: anExchange(1, { dialect: 'messages', upstreamHost }),
      };
    };
    const first = [{ role: 'user', content: [{ ...text, ...mark }] }];
    const then = [{ role: 'user', content: 'Hi' }, answer, { role: 'user', content: [{ ...text, ...mark }] }];
    const changes = toRequestChanges(request(first, 'a'), request(then, 'b'));
    expect(changes).toMatchObject({ keptItems: 1, prefixKept: true });
    expect([words(changes.items), words(changes.settings)]).toEqual([['added assistant', 'added user'], []]);
    const gateway = toRequestChanges(request(first, 'a', 'gateway.test'), request(then, 'b', 'gateway.test'));
    expect([gateway.prefixKept, words(gateway.settings)]).toEqual([false, ['changed system']]);
    const unmarked = toRequestChanges(request(first, 'a'), request([{ role: 'user', content: 'Hi' }], 'a'));
    expect(unmarked.settings).toEqual([
      {
        change: 'changed',
        name: 'cache marks',
        before: '1 in messages {"type":"ephemeral"}, 1 in system {"type":"ephemeral"}',
        after: '1 in system {"type":"ephemeral"}',
      },
    ]);
  });

  it('reads the lists and tools of the other formats', () => {
    const chat = (content: string) =>
      asked(
        2,
        { messages: [{ role: 'user', content }], tools: [{ type: 'function', function: { name: content } }] },
        'chat',
      );
    expect(words(toRequestChanges(chat('a'), chat('b')).tools)).toEqual(['removed a', 'added b']);
    expect(words(toRequestChanges(chat('a'), chat('b')).items)).toEqual(['changed user']);
    const gemini = asked(
      2,
      { contents: [{ role: 'user' }], tools: [{ functionDeclarations: [{ name: 'read' }] }] },
      'gemini',
    );
    expect(words(toRequestChanges(null, gemini).tools)).toEqual(['added read']);
    const wrapped = (text: string) =>
      asked(3, { model: 'm', request: { contents: [{ role: 'user', parts: [{ text }] }], tools: [] } }, 'gemini');
    const changes = toRequestChanges(wrapped('a'), wrapped('b'));
    expect([words(changes.items), changes.settings]).toEqual([['changed user'], []]);
  });

  it('calls everything new in the first request, and cuts long texts', () => {
    const first = asked(1, { instructions: 'x'.repeat(100_000), input: [said('user', 'Hi')] });
    const changes = toRequestChanges(null, first);
    expect(changes).toMatchObject({ previousId: null, itemsBefore: 0, itemsAfter: 1 });
    expect(changes.settings[0]?.after).toMatch(/x… \(100000 characters\)$/);
    const second = asked(2, {
      instructions: `${'x'.repeat(50_000)}y${'x'.repeat(50_000)}`,
      input: [said('user', 'Hi')],
    });
    const [changed] = toRequestChanges(first, second).settings;
    expect(changed?.after).toMatch(/^…x{200}yx+… \(100001 characters\)$/);
    expect(changed?.before).toMatch(/^…x{2000}… \(100000 characters\)$/);
  });
});
