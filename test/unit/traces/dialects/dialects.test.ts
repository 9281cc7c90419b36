import { describe, expect, it } from 'vitest';
import { dialectOf } from '../../../../server/traces/dialects/index.ts';
import { sideKind } from '../../../../server/traces/dialects/sideTraffic.ts';
import { reader, stream } from './aStream.ts';

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

describe('Responses, in odd forms', () => {
  it('takes a completed response without usage, and says so by null', () => {
    const reply = stream('/v1/responses', [
      {
        type: 'response.output_item.done',
        output_index: 0,
        item: { type: 'message', role: 'assistant', content: 'x' },
      },
      { type: 'response.completed', response: { id: 'r', output: [] } },
    ]);
    expect(reply).toMatchObject({ error: null, id: 'r', usage: { inputTokens: null, outputTokens: null } });
    expect(reply.answered).toEqual([['assistant', 'x']]);
  });

  it('keeps what had come of a reply that failed', () => {
    const reply = stream('/v1/responses', [
      {
        type: 'response.output_item.done',
        output_index: 0,
        item: { type: 'message', role: 'assistant', content: 'x' },
      },
      {
        type: 'response.failed',
        response: { id: 'r', output: [], error: { code: 'rate_limit', message: 'slow down' } },
      },
    ]);
    expect(reply.error).toBe('slow down');
    expect(reply.answered).toEqual([['assistant', 'x']]);
  });

  it('reads a call of an MCP server by the provider with its result, and a web search', () => {
    const said = reader('/v1/responses').answered({
      output: [
        { type: 'mcp_call', id: 'mcp_1', server_label: 'docs', name: 'find', arguments: '{"q":1}', output: 'found' },
        { type: 'web_search_call', id: 'ws_1', action: { type: 'search', query: 'x' } },
        { type: 'compaction', encrypted_content: 'x' },
      ],
    });
    expect(said.map(item => [item.kind, item.toolName, item.text])).toEqual([
      ['toolCall', 'docs.find', '{"q":1}'],
      ['toolOutput', null, 'found'],
      ['toolCall', 'web_search', '{"type":"search","query":"x"}'],
    ]);
  });

  it('reads what the other tools of the API were given', () => {
    const operation = { type: 'update_file', path: 'a.ts', diff: '@@' };
    const calls = [
      { type: 'apply_patch_call', call_id: 'p', operation },
      { type: 'shell_call', call_id: 's', action: { commands: ['ls'] }, environment: null },
      { type: 'code_interpreter_call', id: 'ci', code: 'print(1)', outputs: [{ type: 'logs', logs: '1' }] },
      { type: 'file_search_call', id: 'fs', queries: ['q'], results: [] },
      { type: 'computer_call', call_id: 'c', actions: [{ type: 'screenshot' }] },
      { type: 'tool_search_call', call_id: 't', execution: 'client', arguments: { query: 'q' } },
      { type: 'image_generation_call', id: 'ig', result: 'AA==' },
    ];
    const said = reader('/v1/responses').answered({ output: calls });
    expect(said.map(item => [item.toolName, item.callId, item.text])).toEqual([
      ['apply_patch', 'p', JSON.stringify(operation)],
      ['shell', 's', '{"commands":["ls"]}'],
      ['code_interpreter', null, '{"code":"print(1)"}'],
      ['file_search', null, '{"queries":["q"]}'],
      ['computer', 'c', '{"actions":[{"type":"screenshot"}]}'],
      ['tool_search', 't', '{"query":"q"}'],
      ['image_generation', null, '{}'],
    ]);
  });

  it('reads a refusal as what the model said', () => {
    const item = { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'I can’t.' }] };
    expect(reader('/v1/responses').answered({ output: [item] })).toMatchObject([
      { kind: 'assistant', text: 'I can’t.' },
    ]);
    expect(reader('/v1/responses').asked({ input: [item] })).toMatchObject([{ kind: 'assistant', text: 'I can’t.' }]);
  });

  it('survives events that make no sense', () => {
    const reply = stream('/v1/responses', [
      { type: 'response.output_text.delta', output_index: 7, delta: 'lost' },
      { type: 'response.output_item.done', output_index: -1, item: null },
      { type: 5 },
      [] as unknown as object,
      { type: 'response.completed' },
    ]);
    expect(reply.error).toBeNull();
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

describe('Messages, with tools that run at the provider', () => {
  it('reads their calls and results, citations and hidden thinking', () => {
    const block = (index: number, content_block: object, ...deltas: object[]) => [
      { type: 'content_block_start', index, content_block },
      ...deltas.map(delta => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ];
    const reply = stream('/v1/messages', [
      { type: 'message_start', message: { id: 'm', model: 'claude', usage: { input_tokens: 2, output_tokens: 1 } } },
      ...block(0, { type: 'redacted_thinking', data: 'x' }),
      ...block(
        1,
        { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
        { type: 'input_json_delta', partial_json: '{"query":"x"}' },
      ),
      ...block(2, {
        type: 'web_search_tool_result',
        tool_use_id: 's',
        content: [{ type: 'web_search_result', url: 'u' }],
      }),
      ...block(3, { type: 'mcp_tool_use', id: 't', name: 'find', server_name: 'docs', input: {} }),
      ...block(4, { type: 'mcp_tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'found' }] }),
      ...block(
        5,
        { type: 'text', text: '' },
        { type: 'citations_delta', citation: { url: 'u' } },
        { type: 'text_delta', text: 'so' },
      ),
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn' },
        usage: { input_tokens: 2, cache_read_input_tokens: 8, output_tokens: 9 },
      },
      { type: 'message_stop' },
    ]);
    expect(reply.answered).toEqual([
      ['toolCall', '{"query":"x"}'],
      ['toolOutput', '[{"type":"web_search_result","url":"u"}]'],
      ['toolCall', '{}'],
      ['toolOutput', 'found'],
      ['assistant', 'so'],
    ]);
    expect(reply.usage).toMatchObject({ inputTokens: 10, cachedInputTokens: 8, outputTokens: 9 });
    expect(JSON.stringify(reply.json)).toContain('"citations":[{"url":"u"}]');
  });

  it('says why a stream was broken off', () => {
    const reply = stream('/v1/messages', [
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    ]);
    expect(reply.error).toBe('Overloaded');
  });
});

it.each([
  ['/openai/deployments/mini/chat/completions', 'chat'],
  ['/api/v1/chat/completions', 'chat'],
  ['/openai/v1/responses', 'responses'],
  ['/backend-api/codex/responses/compact', 'responses'],
  ['/anthropic/v1/messages', 'messages'],
  ['/v1/projects/p/locations/l/publishers/anthropic/models/claude-x:streamRawPredict', 'messages'],
  ['/v1internal:streamGenerateContent', 'gemini'],
  ['/v1/completions', 'other'],
  ['/api/generate', 'other'],
  ['/v1/embeddings', 'other'],
  ['/v1/threads/runs', 'other'],
  ['/v1/threads/thread_1/runs', 'other'],
  ['/v1/threads/thread_1/runs/run_1/submit_tool_outputs', 'other'],
  ['/v1/batches', 'other'],
  ['/v1/messages/batches', 'other'],
  ['/v1/responses/.', 'responses'],
  ['/v1/responses//', 'responses'],
  ['//v1//responses', 'responses'],
  ['/v1/%72esponses', 'responses'],
  ['/v1/responses/x/%2e%2E', 'responses'],
  ['/v1/responses#/models', 'responses'],
  ['/v1/files/../threads/runs', 'other'],
  ['/v1beta/models/gemini-2.5-pro%3AgenerateContent', 'gemini'],
  ['/client/v4/accounts/0123456789abcdef/ai/run/@cf/meta/llama-3.1-8b-instruct', 'other'],
  ['/models/gpt2', 'other'],
])('%s is read as %s', (path, id) => expect(dialectOf(path)?.id).toBe(id));

it.each([
  ['/v1/models', 'models'],
  ['/v1/messages/count_tokens', 'tokens'],
  ['/v1beta/models/gemini-2.5-pro:countTokens', 'tokens'],
  ['/backend-api/wham/accounts/check', 'account'],
  ['/client/v4/accounts/0123456789abcdef', 'account'],
  ['/v1internal:loadCodeAssist', 'account'],
  ['/v1/responses/resp_1/cancel', 'lookup'],
  ['/v1/messages/batches/msgbatch_1/cancel', 'lookup'],
  ['/v1/conversations', 'lookup'],
  ['/v1/conversations/conv_1/items', 'lookup'],
  ['/v1/threads', 'lookup'],
  ['/v1/threads/thread_1/messages', 'lookup'],
  ['/v1/files', 'lookup'],
  ['/v1/uploads/upload_1/parts', 'lookup'],
  ['/v1/vector_stores/vs_1/search', 'lookup'],
  ['/otlp/v1/metrics', 'telemetry'],
  ['/api/event_logging/batch', 'telemetry'],
  ['/api/event_logging/v2/batch', 'telemetry'],
  // Claude Code asks which of its features are on.
  ['/api/eval/sdk-zAZezfDKGoZuXXKe', 'telemetry'],
  ['/api/claude_code_shared_session_transcripts', 'account'],
  ['/v1/oauth/token', 'auth'],
  ['/openai/plugins.git/git-upload-pack', 'git'],
  ['/backend-api/ps/mcp', 'tools'],
])('%s calls no model but is for %s', (path, kind) => {
  expect(dialectOf(path)).toBeNull();
  expect(sideKind('POST', path)).toBe(kind);
});

it.each(['/v1/responses/resp_1', '/v1/batches', '/v1/threads/thread_1/runs/run_1'])(
  'a look at %s is no model call',
  path => expect(sideKind('GET', path)).toBe('lookup'),
);

describe('an endpoint that is not known', () => {
  it('is read as far as it looks like something known', () => {
    const dialect = reader('/api/chat');
    const reply = dialect.reply();
    reply.whole({ model: 'local', message: { role: 'assistant', content: 'hi' }, done: true });
    const finished = reply.finish(false);
    expect(finished).toMatchObject({ model: 'local', error: null, usage: { inputTokens: null } });
    expect(dialect.answered(finished.json).map(said => [said.kind, said.text])).toEqual([['assistant', 'hi']]);
    expect(dialect.asked({ prompt: 'say hi' }).map(said => said.text)).toEqual(['say hi']);
    expect(reader('/v1/completions').answered({ choices: [{ text: 'a' }] })).toMatchObject([{ text: 'a' }]);
  });

  it('puts the words of a local model’s stream together, its calls and its tokens', () => {
    const message = (said: object) => ({ model: 'local', message: { role: 'assistant', content: '', ...said } });
    const call = { function: { name: 'read', arguments: { path: 'a' } } };
    const reply = stream('/api/chat', [
      ...[
        message({ thinking: 'Hm' }),
        message({ thinking: '.' }),
        message({ content: 'Let ' }),
        message({ content: 'me.' }),
      ],
      message({ tool_calls: [call] }),
      { ...message({}), done: true, prompt_eval_count: 26, eval_count: 298 },
    ]);
    expect(reply).toMatchObject({ model: 'local', usage: { inputTokens: 26, outputTokens: 298 } });
    expect(reply.answered).toEqual([
      ['reasoning', 'Hm.'],
      ['assistant', 'Let me.'],
      ['toolCall', '{"path":"a"}'],
    ]);
    const tokens = [{ response: 'Hel' }, { response: 'lo' }, { response: '', done: true, eval_count: 2 }];
    expect(stream('/api/generate', tokens).answered).toEqual([['assistant', 'Hello']]);
    const texts = ['Hel', 'lo'].map(text => ({ choices: [{ index: 0, text }] }));
    expect(stream('/v1/completions', texts).answered).toEqual([['assistant', 'Hello']]);
  });

  it('keeps the events of a stream that no one told us about, and its tokens', () => {
    const events = [{ delta: 'a' }, { delta: 'b' }, { usage: { prompt_tokens: 3, completion_tokens: 2 } }];
    const reply = stream('/v1/completions', events);
    expect(reply).toMatchObject({ error: null, json: { events }, usage: { inputTokens: 3, outputTokens: 2 } });
  });
});
