import { randomBytes } from 'node:crypto';
import { dialectOf } from '../../traces/dialects/index.ts';
import { type HttpHead, headerOf } from '../../traces/wire/httpHead.ts';

/**
 * The answer to a request that a budget stops, in the shape of its API, at which agents end their turn and show the
 * message. It is an HTTP 400, because after 429 or 5xx they would try again; and for who reads a Responses stream its
 * `response.failed`, because Codex shows the body of a 400 as it is.
 */
export function refusalReply(head: HttpHead, message: string): string {
  const dialect = dialectOf(head.startLine[1].split('?')[0] ?? '')?.id;
  if (dialect === 'responses' && (headerOf(head, 'accept') ?? '').includes('text/event-stream')) {
    const event = failedEvent(message);
    return httpReply('200 OK', 'text/event-stream', `event: response.failed\ndata: ${event}\n\n`);
  }
  return httpReply('400 Bad Request', 'application/json', JSON.stringify(bodyFor(dialect, message)));
}

/** The answer to an upgrade: Codex goes on over plain HTTP at once and is refused there. */
export const upgradeRefusal = 'HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';

/** The last event of a Responses stream, over SSE or as a WebSocket's message. */
export function failedEvent(message: string): string {
  const response = {
    id: `resp_${randomBytes(12).toString('hex')}`,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status: 'failed',
    // Of the API's codes the one that is never tried again and whose message is shown.
    error: { code: 'invalid_prompt', message },
    output: [],
  };
  return JSON.stringify({ type: 'response.failed', sequence_number: 0, response });
}

function httpReply(status: string, type: string, body: string): string {
  return (
    `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
    `connection: close\r\n\r\n${body}`
  );
}

function bodyFor(dialect: string | undefined, message: string): object {
  switch (dialect) {
    case 'messages':
      return { type: 'error', error: { type: 'invalid_request_error', message } };
    case 'gemini':
      return { error: { code: 400, message, status: 'FAILED_PRECONDITION' } };
    default:
      return { error: { type: 'invalid_request_error', code: 'budget_spent', param: null, message } };
  }
}
