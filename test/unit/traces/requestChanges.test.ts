import { describe, expect, it } from 'vitest';
import { toRequestChanges } from '../../../server/traces/requestChanges.ts';
import type { WholeExchange } from '../../../server/traces/store.ts';
import { anExchange } from './aReader.ts';
import { said } from './recordedTraffic.ts';

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
  });
});
