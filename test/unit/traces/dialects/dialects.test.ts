import { describe, expect, it } from 'vitest';
import type { DialectReader } from '../../../../server/traces/dialects/dialect.ts';
import { dialectOf } from '../../../../server/traces/dialects/index.ts';

function reader(path: string): DialectReader {
  const dialect = dialectOf(path);
  if (dialect === null) throw new Error(`no dialect for ${path}`);
  return dialect;
}

function stream(path: string, events: readonly object[], cut = true) {
  const dialect = reader(path);
  const reply = dialect.reply();
  const characters = events.map(event => reply.event(event)).reduce((sum, count) => sum + count, 0);
  const finished = reply.finish(cut);
  return { ...finished, characters, answered: dialect.answered(finished.json).map(said => [said.kind, said.text]) };
}

describe('Responses', () => {
  const call = {
    type: 'function_call',
    id: 'fc_1',
    call_id: 'c1',
    name: 'exec_command',
    namespace: 'shell',
    arguments: '{}',
  };
  const usage = {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 60 },
    output_tokens: 20,
    output_tokens_details: { reasoning_tokens: 5 },
  };

  it('puts the items of the stream into a completed response that has none', () => {
    const reply = stream('/v1/responses', [
      {
        type: 'response.created',
        response: { id: 'resp_1', model: 'gpt-5.5-2026', status: 'in_progress', output: [] },
      },
      { type: 'response.output_item.added', output_index: 0, item: { ...call, arguments: '' } },
      { type: 'response.function_call_arguments.delta', output_index: 0, delta: '{}' },
      { type: 'response.output_item.done', output_index: 0, item: call },
      { type: 'response.completed', response: { id: 'resp_1', status: 'completed', output: [], usage } },
    ]);
    expect(reply).toMatchObject({
      id: 'resp_1',
      error: null,
      characters: 2,
      json: { status: 'completed', output: [call] },
    });
    expect(reply.usage).toEqual({ inputTokens: 100, cachedInputTokens: 60, outputTokens: 20, reasoningTokens: 5 });
  });

  it('keeps the partial reply when the upstream dies mid-stream', () => {
    const reply = stream('/v1/responses', [
      { type: 'response.created', response: { id: 'resp_1', model: 'm', status: 'in_progress', output: [] } },
      {
        type: 'response.output_item.done',
        output_index: 0,
        item: { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
      },
      {
        type: 'response.output_item.added',
        output_index: 1,
        item: { type: 'message', role: 'assistant', content: [] },
      },
      { type: 'response.output_text.delta', output_index: 1, delta: 'half a sen' },
    ]);
    expect(reply.error).toContain('ended before');
    expect(reply.answered).toEqual([
      ['reasoning', 'hm'],
      ['assistant', 'half a sen'],
    ]);
    expect(reply.usage.inputTokens).toBeNull();
  });

  it.each([
    [
      { type: 'response.failed', response: { error: { code: 'insufficient_quota', message: 'No money left' } } },
      'No money left',
    ],
    [
      { type: 'response.incomplete', response: { incomplete_details: { reason: 'max_output_tokens' } } },
      'Incomplete: max_output_tokens',
    ],
    [{ type: 'error', message: 'overloaded' }, 'overloaded'],
  ])('says what the API reported: %j', (event, error) => {
    expect(stream('/v1/responses', [event]).error).toBe(error);
  });

  it('names calls with their namespace and reads freeform input, outputs in parts and instructions', () => {
    const asked = reader('/v1/responses').asked({
      instructions: 'Be brief.',
      input: [
        { type: 'message', role: 'developer', content: 'rules' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'look' },
            { type: 'input_image', image_url: 'data:' },
          ],
        },
        call,
        { type: 'custom_tool_call', call_id: 'c2', name: 'apply_patch', input: '*** Begin Patch' },
        { type: 'custom_tool_call_output', call_id: 'c2', output: [{ type: 'input_text', text: 'done' }] },
        { type: 'additional_tools', tools: [] },
      ],
    });
    expect(asked.map(said => [said.kind, said.text, said.toolName, said.callId])).toEqual([
      ['system', 'Be brief.', null, null],
      ['system', 'rules', null, null],
      ['user', 'look\n[input_image]', null, null],
      ['toolCall', '{}', 'shell.exec_command', 'c1'],
      ['toolCall', '*** Begin Patch', 'apply_patch', 'c2'],
      ['toolOutput', 'done', null, 'c2'],
    ]);
  });
});

describe('Chat Completions', () => {
  it('assembles text, reasoning, parallel calls and the usage of the last chunk', () => {
    const chunk = (delta: object, more: object = {}) => ({
      id: 'c',
      model: 'm',
      choices: [{ index: 0, delta, ...more }],
    });
    const reply = stream('/v1/chat/completions', [
      chunk({ role: 'assistant', content: 'Hel' }),
      chunk({ content: 'lo', reasoning_content: 'why' }),
      chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x"' } }] }),
      chunk({ tool_calls: [{ index: 1, id: 'b', function: { name: 'g', arguments: '{}' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }, { finish_reason: 'tool_calls' }),
      {
        id: 'c',
        choices: [],
        usage: { prompt_tokens: 9, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 3 } },
      },
    ]);
    expect(reply.answered).toEqual([
      ['reasoning', 'why'],
      ['assistant', 'Hello'],
      ['toolCall', '{"x":1}'],
      ['toolCall', '{}'],
    ]);
    expect(reply).toMatchObject({ error: null, usage: { inputTokens: 9, cachedInputTokens: 3, outputTokens: 4 } });
  });

  it('reads a whole answer', () => {
    const reply = reader('/chat/completions').reply();
    reply.whole({
      id: 'x',
      model: 'm',
      choices: [{ message: { role: 'assistant', content: 'hi' } }],
      usage: { prompt_tokens: 1, completion_tokens: 1 },
    });
    expect(reply.finish(false)).toMatchObject({ model: 'm', error: null, usage: { inputTokens: 1 } });
  });
});

describe('Messages', () => {
  it('counts what was read from and written to the cache as input', () => {
    const reply = stream('/v1/messages', [
      {
        type: 'message_start',
        message: {
          id: 'm1',
          model: 'claude',
          content: [],
          usage: { input_tokens: 5, cache_read_input_tokens: 100, cache_creation_input_tokens: 20, output_tokens: 1 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'sig' } },
      { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 't1', name: 'Bash', input: {} } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"command":"ls"}' } },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 30 } },
      { type: 'message_stop' },
    ]);
    expect(reply.usage).toEqual({ inputTokens: 125, cachedInputTokens: 100, outputTokens: 30, reasoningTokens: null });
    expect(reply).toMatchObject({ cacheWriteTokens: 20, error: null, model: 'claude' });
    expect(reply.answered).toEqual([
      ['reasoning', 'hm'],
      ['toolCall', '{"command":"ls"}'],
    ]);
  });
});

describe('Gemini', () => {
  it('counts thoughts as output and joins the pieces of a text', () => {
    const path = '/v1beta/models/gemini-2.5-pro:streamGenerateContent';
    const chunk = (parts: object[], more: object = {}) => ({
      candidates: [{ content: { role: 'model', parts }, ...more }],
    });
    const reply = stream(path, [
      chunk([{ text: 'Let me ', thought: true }]),
      chunk([{ text: 'Hel' }]),
      chunk([{ text: 'lo' }, { functionCall: { name: 'f', args: { x: 1 } } }], { finishReason: 'STOP' }),
      {
        usageMetadata: {
          promptTokenCount: 7,
          candidatesTokenCount: 3,
          thoughtsTokenCount: 2,
          cachedContentTokenCount: 1,
        },
      },
    ]);
    expect(reader(path).model(path, {})).toBe('gemini-2.5-pro');
    expect(reply.usage).toEqual({ inputTokens: 7, cachedInputTokens: 1, outputTokens: 5, reasoningTokens: 2 });
    expect(reply.answered).toEqual([
      ['reasoning', 'Let me '],
      ['assistant', 'Hello'],
      ['toolCall', '{"x":1}'],
    ]);
  });
});

it.each(['/v1/models', '/v1/messages/count_tokens', '/backend-api/wham/accounts/check', '/v1/responses/resp_1'])(
  '%s calls no model',
  path => expect(dialectOf(path)).toBeNull(),
);
