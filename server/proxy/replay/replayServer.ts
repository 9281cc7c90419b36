import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delay } from '../../base/clock.ts';
import type { AsyncOwner } from '../../base/disposable.ts';
import type { Log } from '../../base/log.ts';
import { KnownValues } from '../../base/redact/knownValues.ts';
import { redact } from '../../base/redact/redact.ts';
import { parseJson } from '../../traces/json.ts';
import { decodeContent } from '../../traces/wire/contentCoding.ts';
import { credentialsOf } from '../../traces/wire/credentials.ts';
import { mapStrings } from './normalise.ts';
import type { ReplayReply, ReplaySource } from './source.ts';

export interface Replay extends AsyncOwner {
  /** `http://127.0.0.1:<port>`, the target of an upstream override. */
  readonly origin: string;
  /** What agents sent that the recording does not have, in words; empty when all went as recorded. */
  failures(): readonly string[];
  /** Requests that it had an answer to. */
  answered(): number;
}

export interface ReplayOptions {
  /** Factor on the recorded times: 1 as it was, 0 at once. */
  readonly pace?: number;
}

/**
 * Serves a recording as a model API on a free port of 127.0.0.1. What does not fit the recording is answered with
 * HTTP 400, which agents take as final.
 */
export async function startReplay(source: ReplaySource, log: Log, options: ReplayOptions = {}): Promise<Replay> {
  const pace = options.pace ?? 0;
  const failures: string[] = [];
  let answered = 0;
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      log.error('Replay failed.', { error });
      response.destroy();
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (request.method === 'GET' && path.endsWith('/models')) return sendJson(response, 200, models(source.model));
    const body = request.method === 'POST' ? await readJson(request) : undefined;
    const answer = request.method === 'POST' ? source.answer(path, body) : null;
    if (answer === null) return sendJson(response, 404, apiError(`The replay has no ${request.method} ${path}.`));
    if ('mismatch' in answer) {
      failures.push(answer.mismatch);
      log.warn('An agent left the recording.', { mismatch: answer.mismatch });
      return sendJson(response, 400, apiError(answer.mismatch));
    }
    answered++;
    await sendReply(response, answer, pace);
  }

  // Codex tries a WebSocket first; this answer sends it to plain HTTP at once.
  server.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failures: () => failures,
    answered: () => answered,
    dispose: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function sendReply(response: ServerResponse, reply: ReplayReply, pace: number): Promise<void> {
  const startMs = Date.now();
  response.writeHead(200, { 'content-type': reply.contentType, 'cache-control': 'no-cache' });
  for (const { atMs, text } of reply.parts) {
    const waitMs = atMs * pace - (Date.now() - startMs);
    if (waitMs > 0) await delay(waitMs);
    if (response.destroyed) return;
    response.write(text);
  }
  response.end();
}

/** The body without the key that its request shows: each launch has one of its own, and none stands in a recording. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = decodeContent(Buffer.concat(chunks), request.headers['content-encoding'] ?? null).toString('utf8');
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const);
  const shown = new KnownValues(credentialsOf({ startLine: ['', '', ''], headers }));
  return mapStrings(parseJson(body), text => (shown.isIn(text) ? redact(text, shown) : text));
}

function models(model: string): object {
  return { object: 'list', data: [{ id: model, object: 'model' }], models: [] };
}

/** An error in a shape that clients of every dialect can read. */
function apiError(message: string): object {
  const error = { message, type: 'invalid_request_error', param: null, code: 'replay_mismatch' };
  return { type: 'error', error: { ...error, status: 'INVALID_ARGUMENT' } };
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
