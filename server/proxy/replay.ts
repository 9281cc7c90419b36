import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delay } from '../base/clock.ts';
import type { AsyncOwner } from '../base/disposable.ts';
import type { Log } from '../base/log.ts';
import { parseJson, stringAt } from '../traces/json.ts';
import { decodeContent } from '../traces/wire/contentCoding.ts';
import { cwdMark, mapStrings, normaliseOutput } from './normalise.ts';
import type { Recording, RecordingStep } from './recording.ts';
import { responseEvents } from './responseEvents.ts';
import { type Turn, turnOf } from './turn.ts';

export interface Replay extends AsyncOwner {
  /** `http://127.0.0.1:<port>`, the target of an upstream override. */
  readonly origin: string;
  /** What agents sent that the recording does not have, in words; empty when all went as recorded. */
  failures(): readonly string[];
}

/**
 * Serves a recording as a Responses API on a free port of 127.0.0.1. It keeps no state between requests: the step is
 * told by the tool outputs in the request, so any number of agents can use one replay at a time. What does not fit the
 * recording is answered with HTTP 400, at which Codex fails at once. `pacingMs` waits before every event.
 */
export async function startReplay(
  recording: Recording,
  log: Log,
  options: { pacingMs?: number } = {},
): Promise<Replay> {
  const failures: string[] = [];
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      log.error('Replay failed.', { error });
      response.destroy();
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (request.method === 'GET' && path.endsWith('/models')) return sendJson(response, 200, models(recording.model));
    if (request.method !== 'POST' || !path.endsWith('/responses')) {
      return sendJson(response, 404, apiError(`The replay has no ${request.method} ${path}.`));
    }
    const body = await readJson(request);
    const found = findStep(recording, body);
    if ('mismatch' in found) {
      failures.push(found.mismatch);
      log.warn('An agent left the recording.', { mismatch: found.mismatch });
      return sendJson(response, 400, apiError(found.mismatch));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    for (const event of responseEvents(stringAt(body, 'model') ?? recording.model, found.respond, found.step.usage)) {
      if (response.destroyed) return;
      if (options.pacingMs) await delay(options.pacingMs);
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
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
    dispose: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Found = { step: RecordingStep; respond: unknown[] } | { mismatch: string };

/** The step that a request asks for: the one before which as many tool outputs were recorded as it carries. */
function findStep(recording: Recording, body: unknown): Found {
  const turn = turnOf(body);
  if (turn.prompt === null) return { mismatch: 'The request has no prompt.' };
  let outputs = 0;
  for (const [index, step] of recording.steps.entries()) {
    outputs += step.expect.length;
    if (outputs !== turn.outputs.length) continue;
    const mismatch = firstMismatch(step, index, turn);
    if (mismatch !== null) return { mismatch };
    const { cwd } = turn;
    if (cwd === null && JSON.stringify(step.respond).includes(cwdMark)) {
      return { mismatch: `Step ${index + 1} needs the working directory, which the request does not tell.` };
    }
    return { step, respond: step.respond.map(item => mapStrings(item, text => text.replaceAll(cwdMark, cwd ?? ''))) };
  }
  return {
    mismatch: `The request has ${turn.outputs.length} tool outputs; the recording ends after ${outputs}.`,
  };
}

function firstMismatch(step: RecordingStep, index: number, turn: Turn): string | null {
  const sent = turn.outputs.slice(turn.outputs.length - step.expect.length);
  for (const { callId, output } of step.expect) {
    const got = sent.find(candidate => candidate.callId === callId);
    if (got === undefined) return `Step ${index + 1}: no output of call ${callId}.`;
    const expected = normaliseOutput(output, turn.cwd);
    const actual = normaliseOutput(got.output, turn.cwd);
    if (expected !== actual) return `Step ${index + 1}, call ${callId}: ${difference(expected, actual)}`;
  }
  return null;
}

/** The first line in which two outputs differ, and both whole, each shortened. */
function difference(expected: string, actual: string): string {
  const [left, right] = [expected.split('\n'), actual.split('\n')];
  const at = left.findIndex((line, index) => line !== right[index]);
  const line = at < 0 ? left.length : at;
  return (
    `the output differs in line ${line + 1}: expected ${quote(left[line])}, got ${quote(right[line])}.\n` +
    `Expected:\n${expected.slice(0, 1500)}\nGot:\n${actual.slice(0, 1500)}`
  );
}

function quote(line: string | undefined): string {
  return line === undefined ? 'nothing' : JSON.stringify(line.slice(0, 200));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return parseJson(decodeContent(Buffer.concat(chunks), request.headers['content-encoding'] ?? null).toString('utf8'));
}

function models(model: string): object {
  return { object: 'list', data: [{ id: model, object: 'model' }], models: [] };
}

function apiError(message: string): object {
  return { error: { message, type: 'invalid_request_error', param: null, code: 'replay_mismatch' } };
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
