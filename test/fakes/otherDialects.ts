import type { ServerResponse } from 'node:http';
import type { SeenRequest } from './upstream.ts';

/** The one tool call that a scripted model makes before its final answer. */
export interface ScriptedCall {
  readonly tool: string;
  readonly input: object;
}

export interface DialectOptions {
  /** Decided per request, which tells the tools that the agent offers. */
  readonly call: ScriptedCall;
  readonly answer: string;
}

/** Tokens of every reply. `input` counts the cached ones too, as OpenAI does. */
export const replyTokens = { input: 1200, cached: 200, output: 40 } as const;

interface StreamEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

type Intercept = (request: SeenRequest, response: ServerResponse) => boolean;

/** Anthropic's Messages API: calls the tool once, then answers. For `startFakeUpstream`'s `intercept`. */
export function messagesModel({ call, answer }: DialectOptions): Intercept {
  return ({ method, url, body }, response) => {
    if (method !== 'POST' || !/^\/v1\/messages(\?|$)/.test(url) || body === null) return false;
    const done = JSON.stringify(body['messages']).includes('"tool_result"');
    const block =
      done || !offers(body, call.tool)
        ? { type: 'text', text: answer }
        : { type: 'tool_use', id: 'toolu_1', name: call.tool, input: call.input };
    const message = {
      id: `msg_${Date.now()}`,
      type: 'message',
      role: 'assistant',
      model: body['model'],
      stop_sequence: null,
    };
    const stop = block.type === 'text' ? 'end_turn' : 'tool_use';
    const usage = {
      input_tokens: replyTokens.input - replyTokens.cached,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: replyTokens.cached,
    };
    if (body['stream'] !== true) {
      const whole = { ...message, content: [block], stop_reason: stop, usage: { ...usage, output_tokens: 40 } };
      return sendJson(response, whole);
    }
    const started = { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
    sendEvents(response, [
      { type: 'message_start', message: started },
      ...blockEvents(block),
      {
        type: 'message_delta',
        delta: { stop_reason: stop, stop_sequence: null },
        usage: { output_tokens: replyTokens.output },
      },
      { type: 'message_stop' },
    ]);
    return true;
  };
}

function blockEvents(block: { type: string; text?: string; input?: object }): StreamEvent[] {
  const [start, delta] =
    block.type === 'text'
      ? [
          { type: 'text', text: '' },
          { type: 'text_delta', text: block.text },
        ]
      : [
          { ...block, input: {} },
          { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
        ];
  return [
    { type: 'content_block_start', index: 0, content_block: start },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
  ];
}

/** OpenAI's Chat Completions API: calls the tool once, then answers. For `startFakeUpstream`'s `intercept`. */
export function chatModel({ call, answer }: DialectOptions): Intercept {
  return ({ method, url, body }, response) => {
    if (method !== 'POST' || !url.split('?')[0]?.endsWith('/chat/completions') || body === null) return false;
    const messages = body['messages'] as { role: string }[];
    const calls = !messages.some(({ role }) => role === 'tool') && offers(body, call.tool);
    const message = calls
      ? {
          role: 'assistant',
          content: null,
          tool_calls: [
            {
              index: 0,
              id: 'call_1',
              type: 'function',
              function: { name: call.tool, arguments: JSON.stringify(call.input) },
            },
          ],
        }
      : { role: 'assistant', content: answer };
    const reason = calls ? 'tool_calls' : 'stop';
    const usage = {
      prompt_tokens: replyTokens.input,
      completion_tokens: replyTokens.output,
      total_tokens: replyTokens.input + replyTokens.output,
      prompt_tokens_details: { cached_tokens: replyTokens.cached },
    };
    const chunk = { id: 'chatcmpl-1', created: 1, model: body['model'] };
    if (body['stream'] !== true) {
      return sendJson(response, {
        ...chunk,
        object: 'chat.completion',
        choices: [{ index: 0, message, finish_reason: reason }],
        usage,
      });
    }
    const part = { ...chunk, object: 'chat.completion.chunk' };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const data of [
      { ...part, choices: [{ index: 0, delta: message, finish_reason: null }] },
      { ...part, choices: [{ index: 0, delta: {}, finish_reason: reason }] },
      { ...part, choices: [], usage },
    ]) {
      response.write(`data: ${JSON.stringify(data)}\n\n`);
    }
    response.end('data: [DONE]\n\n');
    return true;
  };
}

/** Google's Gemini API: calls the tool once, then answers. For `startFakeUpstream`'s `intercept`. */
export function geminiModel({ call, answer }: DialectOptions): Intercept {
  return ({ method, url, body }, response) => {
    const [path = '', query = ''] = url.split('?');
    if (method !== 'POST' || !/:(stream)?[gG]enerateContent$/.test(path) || body === null) return false;
    const calls = !JSON.stringify(body['contents']).includes('"functionResponse"') && offers(body, call.tool);
    const part = calls ? { functionCall: { name: call.tool, args: call.input } } : { text: answer };
    const whole = {
      candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }],
      usageMetadata: {
        promptTokenCount: replyTokens.input,
        cachedContentTokenCount: replyTokens.cached,
        candidatesTokenCount: replyTokens.output,
        totalTokenCount: replyTokens.input + replyTokens.output,
      },
      modelVersion: /models\/([^/:]+)/.exec(path)?.[1],
    };
    if (!query.includes('alt=sse')) return sendJson(response, whole);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`data: ${JSON.stringify(whole)}\r\n\r\n`);
    return true;
  };
}

/** Side requests, such as for a title, offer no tools. */
function offers(body: Record<string, unknown>, tool: string): boolean {
  return JSON.stringify(body['tools'] ?? []).includes(`"${tool}"`);
}

function sendJson(response: ServerResponse, body: object): true {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
  return true;
}

function sendEvents(response: ServerResponse, events: readonly StreamEvent[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  response.end();
}
