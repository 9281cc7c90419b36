import type { ServerResponse } from 'node:http';
import type { SeenRequest } from './upstream.ts';

/** What a fake judge sees of a question, and says to it. */
export interface AskedQuestion {
  readonly criterion: string;
  /** 1-based, of the same criterion. */
  readonly vote: number;
  readonly prompt: string;
}

export type Judgement = (question: AskedQuestion) => object | string;

/**
 * A judge as an HTTP server's `intercept`: Responses, Messages and Chat Completions. What is answered is an object, sent as JSON, or a text as
 * it is.
 */
export function fakeJudge(judgement: Judgement): (request: SeenRequest, response: ServerResponse) => boolean {
  const asked = new Map<string, number>();
  return ({ method, url, body }, response) => {
    if (method !== 'POST' || body === null) return false;
    const prompt =
      textAt(body, 'input', '0', 'content', '0', 'text') ||
      textAt(body, 'messages', url.endsWith('/chat/completions') ? '1' : '0', 'content');
    const criterion = /^Criterion ([a-z0-9-]+):/.exec(prompt)?.[1] ?? '';
    const vote = (asked.get(criterion) ?? 0) + 1;
    asked.set(criterion, vote);
    const answer = judgement({ criterion, vote, prompt });
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(shapeOf(url)(body, text)));
    return true;
  };
}

function shapeOf(url: string): (body: Record<string, unknown>, text: string) => object {
  if (url.endsWith('/messages')) return message;
  return url.endsWith('/chat/completions') ? completion : reply;
}

function completion(body: Record<string, unknown>, text: string): object {
  return {
    ...{ id: `chatcmpl_${Math.random()}`, object: 'chat.completion', model: body['model'] },
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
  };
}

function reply(body: Record<string, unknown>, text: string): object {
  return {
    ...{ id: `resp_${Math.random()}`, object: 'response', model: body['model'], status: 'completed' },
    output: [{ type: 'message', id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text }] }],
    usage: { input_tokens: 100, output_tokens: 10, total_tokens: 110 },
  };
}

function message(body: Record<string, unknown>, text: string): object {
  return {
    ...{ id: `msg_${Math.random()}`, type: 'message', role: 'assistant', model: body['model'] },
    ...{ content: [{ type: 'text', text }], stop_reason: 'end_turn', stop_sequence: null },
    usage: { input_tokens: 100, output_tokens: 10 },
  };
}

function textAt(value: unknown, ...path: string[]): string {
  const found = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);
  return typeof found === 'string' ? found : '';
}
