import { describe, expect, it } from 'vitest';
import type { ConversationItem } from '../../../../protocol/sessions.ts';
import { toAtif } from '../../../../server/traces/exports/atif.ts';
import { toCleanSession } from '../../../../server/traces/exports/export.ts';
import { toSessionHtml } from '../../../../server/traces/exports/html/page.ts';
import { toOtlp } from '../../../../server/traces/exports/otlp/otlp.ts';
import { SessionLines } from '../../../../server/traces/sessions/sessionLines.ts';
import { wholeSession } from '../../../../server/traces/sessions/sessionReader.ts';
import { reportOf } from '../../../../server/traces/sessions/sessionReport.ts';
import { pairOutputs } from '../../../../server/traces/sessions/toolOutputs.ts';
import { AtifSchema } from '../exports/atifSchema.ts';
import { aRecorder } from '../recordedTraffic.ts';
import { anExchange, anItem, aReader } from './aReader.ts';

const call = (exchange: number, text: string, toolName: string, callId?: string) =>
  anItem(exchange, 'toolCall', text, callId === undefined ? { toolName } : { toolName, callId });
const output = (exchange: number, text: string, tool: { toolName?: string; callId?: string } = {}) =>
  anItem(exchange, 'toolOutput', text, tool);
const pairsOf = (items: readonly ConversationItem[]) =>
  [...pairOutputs(items)].map(([asked, answer]) => [asked.text, answer.text]);

describe('an output', () => {
  it('belongs to the call of its id, whatever stands between them', () => {
    const items = [call(1, 'a', 'sh', 'c1'), call(1, 'b', 'sh', 'c2'), output(2, 'B', { callId: 'c2' })];
    expect(pairsOf([...items, call(2, 'c', 'sh', 'c3'), output(3, 'A', { callId: 'c1' })])).toEqual([
      ['b', 'B'],
      ['a', 'A'],
    ]);
  });

  it('of an id that every reply uses again belongs to the call before it', () => {
    const id = { callId: 'call_0' };
    const items = [call(1, 'a', 'sh', 'call_0'), output(2, 'A', id), call(2, 'b', 'sh', 'call_0'), output(3, 'B', id)];
    expect(pairsOf(items)).toEqual([
      ['a', 'A'],
      ['b', 'B'],
    ]);
  });

  it('of a call without an id belongs to the oldest open one of its tool, also under an id of the client’s own', () => {
    const calls = [call(1, 'a', 'read'), call(1, 'b', 'sh'), call(1, 'c', 'sh')];
    for (const own of [{}, { callId: 'own' }]) {
      const answers = [
        output(2, 'B', { toolName: 'sh', ...own }),
        output(2, 'A', { toolName: 'read', ...own }),
        output(2, 'C', { toolName: 'sh', ...own }),
      ];
      expect(pairsOf([...calls, ...answers])).toEqual([
        ['b', 'B'],
        ['a', 'A'],
        ['c', 'C'],
      ]);
    }
  });

  it('that names neither call nor tool belongs to the oldest open call', () => {
    const items = [call(1, 'a', 'sh', 'c1'), call(1, 'b', 'read'), output(2, 'A'), output(2, 'B'), output(2, 'none')];
    expect(pairsOf(items)).toEqual([
      ['a', 'A'],
      ['b', 'B'],
    ]);
  });

  it('is never of a call that has another id', () => {
    expect(pairsOf([call(1, 'a', 'sh', 'c1'), output(2, 'X', { toolName: 'sh', callId: 'c2' })])).toEqual([]);
  });

  it('is not of a call that an earlier reply left open, where a later one called the tool again', () => {
    const items = [call(1, 'broken off', 'sh'), call(2, 'again', 'sh'), output(3, 'A', { toolName: 'sh' })];
    expect(pairsOf([...items, output(3, 'none', { toolName: 'sh' })])).toEqual([['again', 'A']]);
  });

  it('is not of a call that a resumed session’s history left open', () => {
    const old = { ...call(1, 'broken off', 'sh'), isCopied: true as const };
    expect(pairsOf([old, call(1, 'again', 'sh'), output(2, 'A', { toolName: 'sh' })])).toEqual([['again', 'A']]);
  });

  it('of an outer tool finds its call after the calls of the agent within it', () => {
    const items = [call(1, 'outer', 'agent'), call(2, 'inner', 'sh'), output(3, 'I', { toolName: 'sh' })];
    expect(pairsOf([...items, output(4, 'O', { toolName: 'agent' })])).toEqual([
      ['inner', 'I'],
      ['outer', 'O'],
    ]);
  });
});

describe('the outputs of a Gemini session, whose calls have no ids', () => {
  it.each(['own ids', 'no ids'])('stand with their calls in every format (%s)', ids => {
    const { record, store } = aRecorder();
    const parts = [
      { functionCall: { name: 'shell', args: { command: 'ls' } } },
      { functionCall: { name: 'shell', args: { command: 'false' } } },
    ];
    const answers = ['FIRST', 'error: SECOND'].map((text, index) => ({
      functionResponse: {
        ...(ids === 'no ids' ? {} : { id: `shell-${index}` }),
        name: 'shell',
        response: { output: text },
      },
    }));
    const told = (reply: object[]) =>
      JSON.stringify({ candidates: [{ content: { role: 'model', parts: reply }, finishReason: 'STOP' }] });
    const asked = { role: 'user', parts: [{ text: 'go' }] };
    const traffic = { path: '/v1beta/models/g:generateContent', headers: { 'session-id': 's' } };
    record({ ...traffic, request: { contents: [asked] }, response: told(parts) }, 1000);
    const contents = [asked, { role: 'model', parts }, { role: 'user', parts: answers }];
    record({ ...traffic, request: { contents }, response: told([{ text: 'done' }]) }, 2000);

    const [first, second] = ['{"output":"FIRST"}', '{"output":"error: SECOND"}'] as const;
    const clean = toCleanSession(store, 's').messages.flatMap(each => (each.role === 'tool' ? [each.output] : []));
    expect(clean).toEqual([first, second]);
    const { steps } = AtifSchema.parse(JSON.parse(JSON.stringify(toAtif(store, ['s']))));
    expect(steps.map(step => step.observation?.results.length)).toEqual([undefined, 2, undefined]);
    const spans = JSON.stringify(toOtlp(store, 's', true).resourceSpans[0]?.scopeSpans[0]?.spans[2]);
    expect(spans).toContain('FIRST');
    const lines = new SessionLines(store.exchangesOfSession('s'), store.conversation('s'));
    expect(lines.page(0, 9).map(line => [line.kind, line.outputLength])).toEqual([
      ['prompt', null],
      ['tool', first.length],
      ['tool', second.length],
      ['assistant', null],
    ]);
    expect(toSessionHtml(store, 's').match(/>Output</g)).toBeNull();
  });

  it('have ids of their own in ATIF, also where one request brings several steps', () => {
    const isCopied = true as const;
    const items = [
      { ...call(1, '{}', 'sh'), isCopied },
      output(1, 'A', { toolName: 'sh' }),
      { ...call(1, '{}', 'sh'), isCopied },
      output(1, 'B', { toolName: 'sh' }),
      call(1, '{}', 'sh'),
    ];
    const { steps } = AtifSchema.parse(JSON.parse(JSON.stringify(toAtif(aReader([anExchange(1)], items), ['s']))));
    const ids = steps.flatMap(step => step.tool_calls?.map(each => each.tool_call_id) ?? []);
    expect(new Set(ids).size).toBe(3);
    expect(steps.map(step => step.observation?.results[0]?.content)).toEqual(['A', 'B', undefined]);
  });

  it('have ids of their own in ATIF also where a reply gives the same one to several calls', () => {
    const items = [
      call(1, '{"n":1}', 'sh', 'c'),
      call(1, '{"n":2}', 'sh', 'c'),
      output(2, 'A', { callId: 'c' }),
      output(2, 'B', { callId: 'c' }),
    ];
    const { steps } = toAtif(aReader([anExchange(1), anExchange(2)], items), ['s']);
    const ids = steps[0]?.tool_calls?.map(each => each.tool_call_id) ?? [];
    expect([new Set(ids).size, ids[0]]).toEqual([2, 'c']);
    const results = steps[0]?.observation?.results;
    expect(results).toEqual(ids.map((source_call_id, index) => ({ source_call_id, content: 'AB'[index] })));
  });

  it('count as failures of their tool', () => {
    const items = [call(1, 'a', 'sh'), output(2, 'Error: no', { toolName: 'sh' })];
    expect(reportOf(wholeSession(aReader([anExchange(1), anExchange(2)], items), 's')).tools).toEqual([
      { name: 'sh', calls: 1, failures: 1 },
    ]);
  });
});
