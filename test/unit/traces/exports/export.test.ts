import { describe, expect, it } from 'vitest';
import { noCost, noUsage } from '../../../../protocol/usage.ts';
import { toAtif } from '../../../../server/traces/exports/atif.ts';
import { toCleanSession } from '../../../../server/traces/exports/export.ts';
import { toMessages } from '../../../../server/traces/exports/otlp/messages.ts';
import { toOtlp } from '../../../../server/traces/exports/otlp/otlp.ts';
import { aRecorder, aReply, said } from '../recordedTraffic.ts';
import { anExchange, anItem, aReader, aRichSession } from '../sessions/aReader.ts';
import { AtifSchema } from './atifSchema.ts';

const headers = { 'thread-id': 'thread-1', 'user-agent': 'codex_exec/0.169.0 (Debian)' };
const thought = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'List first.' }] };
const call = { type: 'function_call', call_id: 'c1', name: 'exec_command', arguments: '{"cmd":"ls"}' };
const output = { type: 'function_call_output', call_id: 'c1', output: 'a.txt' };
const freeform = { type: 'custom_tool_call', call_id: 'c2', name: 'apply_patch', input: '*** Begin Patch' };

/** The one request of a session that was resumed: what was said before is not in the database. */
function aResumedSession() {
  const recorder = aRecorder();
  const history = [
    said('user', 'First?'),
    said('assistant', 'Old answer'),
    thought,
    call,
    output,
    said('assistant', 'Old answer 2'),
  ];
  recorder.record(
    {
      request: { model: 'gpt-5.5', instructions: 'Be brief.', input: [...history, said('user', 'Second?')] },
      response: aReply([said('assistant', 'New answer')]),
      headers,
    },
    1000,
  );
  return recorder;
}

/** Two turns: the second request repeats the whole first one, the way agents do. */
function aSession() {
  const recorder = aRecorder();
  const first = [said('user', 'What is here?')];
  const second = [...first, { ...thought, content: null }, { ...call, id: 'fc', status: 'completed' }, output];
  recorder.record(
    {
      request: { model: 'gpt-5.5', instructions: 'Be brief.', input: first },
      response: aReply([thought, call, freeform]),
      headers,
    },
    1000,
  );
  recorder.record(
    {
      request: { model: 'gpt-5.5', instructions: 'Be brief.', input: second },
      response: aReply([said('assistant', 'One file.')]),
      headers,
    },
    2000,
  );
  return recorder;
}

/** A request that goes on from a reply that was not recorded, with what a tool answered to it. */
function aLooseOutput() {
  const recorder = aRecorder();
  const input = [{ ...output, call_id: 'c9', output: 'The finding.' }];
  const request = { model: 'gpt-5.5', previous_response_id: 'resp_unseen', input };
  recorder.record({ request, response: aReply([said('assistant', 'One file.')]), headers }, 1000);
  return recorder;
}

describe('session_clean.json', () => {
  it('has each message once, calls with their outputs, and the usage of each exchange', () => {
    const clean = toCleanSession(aSession().store, 'thread-1');
    expect(clean.messages.map(({ exchange: _, ...message }) => message)).toEqual([
      { role: 'system', text: 'Be brief.' },
      { role: 'user', text: 'What is here?' },
      { role: 'reasoning', text: 'List first.' },
      { role: 'tool', name: 'exec_command', call_id: 'c1', input: '{"cmd":"ls"}', output: 'a.txt' },
      { role: 'tool', name: 'apply_patch', call_id: 'c2', input: '*** Begin Patch', output: null },
      { role: 'assistant', text: 'One file.' },
    ]);
    expect(clean.exchanges.map(exchange => exchange.usage.inputTokens)).toEqual([10, 10]);
    expect(clean).toMatchObject({ session_id: 'thread-1', agent: 'codex', usage: { inputTokens: 20 } });
  });

  it('names a session that is not there', () => {
    expect(() => toCleanSession(aRecorder().store, 'nothing')).toThrow(
      expect.objectContaining({ code: 'session.missing' }),
    );
  });

  it('keeps what a tool answered whose call was not recorded', () => {
    const { messages } = toCleanSession(aLooseOutput().store, 'thread-1');
    expect(messages.map(({ exchange: _, ...message }) => message)).toEqual([
      { role: 'tool_output', name: null, call_id: 'c9', output: 'The finding.' },
      { role: 'assistant', text: 'One file.' },
    ]);
  });

  it('keeps a message that is said twice', () => {
    const { record, store } = aRecorder();
    const again = [said('user', 'continue')];
    record({ request: { model: 'm', input: again }, response: aReply([said('assistant', 'ok')]), headers }, 1000);
    record(
      {
        request: { model: 'm', input: [...again, said('assistant', 'ok'), ...again] },
        response: aReply([said('assistant', 'ok')]),
        headers,
      },
      2000,
    );
    expect(store.conversation('thread-1').map(item => item.text)).toEqual(['continue', 'ok', 'continue', 'ok']);
  });
});

describe('ATIF', () => {
  it('has one agent step per exchange, with its calls, their results and its tokens', () => {
    const trajectory = toAtif(aSession().store, ['thread-1']);
    expect(trajectory).toMatchObject({
      schema_version: 'ATIF-v1.7',
      session_id: 'thread-1',
      agent: { name: 'codex', version: '0.169.0', model_name: 'gpt-5.5' },
      final_metrics: { total_prompt_tokens: 20, total_completion_tokens: 10, total_steps: 4 },
    });
    expect(toAtif(aRichSession(), ['session-1']).final_metrics?.total_cost_usd).toBeUndefined();
    expect(trajectory.steps.map(step => [step.step_id, step.source])).toEqual([
      [1, 'system'],
      [2, 'user'],
      [3, 'agent'],
      [4, 'agent'],
    ]);
    expect(trajectory.steps[2]).toMatchObject({
      message: '',
      reasoning_content: 'List first.',
      tool_calls: [
        { tool_call_id: 'c1', function_name: 'exec_command', arguments: { cmd: 'ls' } },
        { tool_call_id: 'c2', function_name: 'apply_patch', arguments: { input: '*** Begin Patch' } },
      ],
      observation: { results: [{ source_call_id: 'c1', content: 'a.txt' }] },
      metrics: { prompt_tokens: 10, completion_tokens: 5 },
    });
  });

  it('tells what a resumed session brought along from what was answered', () => {
    const { steps } = toAtif(aResumedSession().store, ['thread-1']);
    const copied = { is_copied_context: true };
    expect(steps.map(({ step_id: _, timestamp: __, ...step }) => step)).toEqual([
      { source: 'system', message: 'Be brief.' },
      { source: 'user', message: 'First?', ...copied },
      {
        source: 'agent',
        message: 'Old answer',
        reasoning_content: 'List first.',
        tool_calls: [{ tool_call_id: 'c1', function_name: 'exec_command', arguments: { cmd: 'ls' } }],
        observation: { results: [{ source_call_id: 'c1', content: 'a.txt' }] },
        ...copied,
      },
      { source: 'agent', message: 'Old answer 2', ...copied },
      { source: 'user', message: 'Second?' },
      {
        source: 'agent',
        message: 'New answer',
        model_name: 'gpt-5.5',
        metrics: { prompt_tokens: 10, completion_tokens: 5, cost_usd: expect.any(Number) },
      },
    ]);
  });

  it('keeps the rules of the format: results of known calls only, agent fields on agent steps only', () => {
    for (const step of toAtif(aSession().store, ['thread-1']).steps) {
      const calls = step.tool_calls?.map(each => each.tool_call_id) ?? [];
      for (const result of step.observation?.results ?? []) expect(calls).toContain(result.source_call_id);
      if (step.source !== 'agent')
        expect(Object.keys(step).sort()).toEqual(['message', 'source', 'step_id', 'timestamp']);
    }
  });

  it('keeps what a tool answered whose call was not recorded, as a result of no call', () => {
    const { steps } = toAtif(aLooseOutput().store, ['thread-1']);
    expect(steps.map(({ source, message, observation }) => [source, message, observation])).toEqual([
      ['system', '', { results: [{ content: 'The finding.' }] }],
      ['agent', 'One file.', undefined],
    ]);
  });

  it('passes the schema, strictly, with the totals of its steps', () => {
    for (const [reader, id] of [
      [aLooseOutput().store, 'thread-1'],
      [aSession().store, 'thread-1'],
      [aResumedSession().store, 'thread-1'],
      [aRichSession(), 'session-1'],
    ] as const) {
      const trajectory = AtifSchema.parse(JSON.parse(JSON.stringify(toAtif(reader, [id]))));
      const tokens = trajectory.steps.map(step => step.metrics?.prompt_tokens ?? 0).reduce((a, b) => a + b, 0);
      expect(trajectory.final_metrics?.total_prompt_tokens).toBe(tokens);
      expect(trajectory.final_metrics?.total_steps).toBe(trajectory.steps.length);
    }
  });

  it('keeps the tokens of an exchange without a word, such as one that failed or only warmed a cache', () => {
    const trajectory = toAtif(aReader([anExchange(1), anExchange(2)], [anItem(1, 'user', 'Hi')]), ['session-1']);
    expect(
      AtifSchema.parse(JSON.parse(JSON.stringify(trajectory))).steps.map(step => step.metrics?.prompt_tokens),
    ).toEqual([undefined, 1000, 2000]);
  });

  it('says of an exchange that failed why, also where nothing was answered', () => {
    const none = { usage: noUsage, cost: noCost };
    const exchanges = [
      anExchange(1, { ...none, status: 429, error: 'Too many.' }),
      anExchange(2, { ...none, status: 502 }),
      anExchange(3, { error: 'The connection was cut.' }),
      anExchange(4),
    ];
    const items = [anItem(1, 'user', 'Hi'), anItem(3, 'assistant', 'Hel'), anItem(4, 'assistant', 'Hello.')];
    const { steps } = AtifSchema.parse(JSON.parse(JSON.stringify(toAtif(aReader(exchanges, items), ['session-1']))));
    expect(steps.map(({ source, message, extra }) => [source, message, extra])).toEqual([
      ['user', 'Hi', undefined],
      ['agent', '', { error: 'Too many.', status: 429 }],
      ['agent', '', { status: 502 }],
      ['agent', 'Hel', { error: 'The connection was cut.', status: 200 }],
      ['agent', 'Hello.', undefined],
    ]);
  });
});

describe('half a character, as an agent leaves it where it cuts an output', () => {
  const half = '\ud83d';
  const items = [
    anItem(1, 'user', `cut ${half}`),
    anItem(1, 'reasoning', half),
    anItem(1, 'toolCall', JSON.stringify({ [half]: [`in ${half}`] }), { toolName: `t${half}`, callId: `c${half}` }),
    anItem(2, 'toolOutput', `out ${half}`, { callId: `c${half}` }),
    anItem(2, 'assistant', `whole 🦜, half ${half}`),
  ];
  const session = aReader([anExchange(1), anExchange(2, { error: half })], items);

  it.each([
    ['ATIF', () => JSON.stringify(toAtif(session, ['session-1']))],
    ['session_clean.json', () => JSON.stringify(toCleanSession(session, 'session-1'))],
    ['OpenTelemetry', () => JSON.stringify(toOtlp(session, 'session-1', true))],
  ])('is a replacement character in %s, which strict readers take', (_, made) => {
    const text = made();
    // What a call was given is text of the model's own, in which an escape is six characters.
    expect(text.replaceAll('\\\\ud83d', '')).not.toMatch(/\\ud[89a-f]/i);
    expect(text).toContain('whole 🦜, half \ufffd');
    expect(text).toContain('out \ufffd');
  });

  it('is one also in the messages of a span, which are JSON in a text', () => {
    const text = JSON.stringify(toMessages(items, null));
    expect(text).toContain('in \ufffd');
    expect(text).not.toMatch(/\\ud[89a-f]/i);
  });
});
