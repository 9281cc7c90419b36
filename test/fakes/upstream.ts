import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { delay } from '../../server/base/clock.ts';
import { type ResponseEvent, responseEvents } from '../../server/proxy/replay/responseEvents.ts';
import { decodeContent } from '../../server/traces/wire/contentCoding.ts';
import { type ModelTurn, modelTurn, scriptedModel } from './upstreamModel.ts';

/** A request as it reached the upstream. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  /** Body as it came, and as JSON after decoding (null when it is none). */
  readonly raw: Buffer;
  readonly body: Record<string, unknown> | null;
  readonly transport: 'http' | 'websocket';
  /** What was sent back, as it was written: events of a stream, messages of a WebSocket. */
  readonly replied: string[];
}

/** How a reply ends too soon: by a reset, by an orderly end of the connection, or never, in silence. */
export type BreakOff = 'reset' | 'end' | 'stall';

export interface FakeUpstreamOptions {
  /** Certificate and key in PEM: serve https. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Take WebSockets; otherwise an upgrade is answered with `upgradeStatus` (426). */
  readonly webSocket?: boolean;
  readonly upgradeStatus?: number;
  /** permessage-deflate on WebSockets. */
  readonly deflate?: boolean;
  /** Answers of the model; by default the prompt scripts it, see `scriptedModel`. */
  readonly model?: (turn: ModelTurn) => readonly unknown[];
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
  /** Between the events of a stream. */
  readonly eventDelayMs?: number;
  /** Asked after the first half of each reply's events, which waits for the answer: null goes on with the rest. */
  readonly halfway?: (request: SeenRequest) => BreakOff | null | Promise<BreakOff | null>;
  /** Answers a request itself; returns true when it has. */
  readonly intercept?: (request: SeenRequest, response: ServerResponse) => boolean;
}

export interface FakeUpstream {
  readonly origin: string;
  readonly port: number;
  readonly requests: readonly SeenRequest[];
  /** Connections of agents that are open now. */
  connections(): number;
  dispose(): Promise<void>;
}

/**
 * A Responses API on 127.0.0.1: SSE, WebSockets with `previous_response_id`, zstd bodies, a list of models, and the
 * account calls of a ChatGPT login.
 */
export async function startFakeUpstream(options: FakeUpstreamOptions = {}): Promise<FakeUpstream> {
  const requests: SeenRequest[] = [];
  const model = options.model ?? scriptedModel;
  const usage = {
    inputTokens: options.usage?.inputTokens ?? 1000,
    cachedInputTokens: 100,
    outputTokens: options.usage?.outputTokens ?? 50,
    reasoningTokens: 7,
  };
  // What only warms the model up uses nothing.
  const eventsFor = (body: Record<string, unknown>, turn: ModelTurn) =>
    responseEvents(String(body['model']), model(turn), body['generate'] === false ? noTokens : usage);

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const seen = await readRequest(request);
    requests.push(seen);
    if (options.intercept?.(seen, response)) return;
    const path = seen.url.split('?')[0] ?? '';
    if (seen.method === 'POST' && path.endsWith('/responses') && seen.body !== null) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': `req_${requests.length}` });
      const events = eventsFor(seen.body, modelTurn(seen.body['input']));
      const end = await sendReply(events, seen, options, event => {
        const text = `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
        seen.replied.push(text);
        response.write(text);
        return !response.destroyed;
      });
      if (end === null) response.end();
      else breakOff(response.socket, end);
      return;
    }
    const answer = accountAnswer(path);
    response.writeHead(answer === null ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: { message: `no route ${seen.method} ${seen.url}` } }));
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response).catch(() => response.destroy());
  };
  const server = options.tls
    ? createSecureServer({ ...options.tls, ALPNProtocols: ['http/1.1'] }, listener)
    : createServer(listener);
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: options.deflate ?? false });
  server.on('upgrade', (request, socket, head) => {
    const { url = '', headers, rawHeaders } = request;
    requests.push({
      method: 'GET',
      url,
      headers,
      rawHeaders,
      raw: Buffer.alloc(0),
      body: null,
      transport: 'websocket',
      replied: [],
    });
    if (!options.webSocket) {
      socket.end(`HTTP/1.1 ${options.upgradeStatus ?? 426} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, client => {
      serveSocket(client, socket, options, (raw, body, turn) => {
        const seen: SeenRequest = {
          method: 'GET',
          url,
          headers,
          rawHeaders,
          raw,
          body,
          transport: 'websocket',
          replied: [],
        };
        requests.push(seen);
        return { events: eventsFor(body, turn), seen };
      });
    });
  });
  const port = await listen(server);
  return {
    origin: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests,
    connections: () => open.get(server) ?? 0,
    dispose: () =>
      new Promise(resolve => {
        for (const client of sockets.clients) client.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const noTokens = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };

/** The ChatGPT account that a fabricated login must name. */
export const fakeAccountId = 'acc-1';

const open = new WeakMap<Server, number>();

function listen(server: Server): Promise<number> {
  const count = (change: number) => open.set(server, (open.get(server) ?? 0) + change);
  server.on('connection', socket => {
    count(1);
    socket.once('close', () => count(-1));
  });
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** Sends the events of one reply while `send` takes them. Answers how it breaks off, or null when it does not. */
async function sendReply(
  events: Iterable<ResponseEvent>,
  seen: SeenRequest,
  { halfway, eventDelayMs }: FakeUpstreamOptions,
  send: (event: ResponseEvent) => boolean,
): Promise<BreakOff | null> {
  const all = [...events];
  for (const [index, event] of all.entries()) {
    const end = index === Math.floor(all.length / 2) ? await halfway?.(seen) : null;
    if (end) return end;
    if (!send(event)) return null;
    if (eventDelayMs) await delay(eventDelayMs);
  }
  return null;
}

function breakOff(socket: Duplex | null, how: BreakOff): void {
  if (how === 'reset') (socket as Socket | null)?.resetAndDestroy();
  if (how === 'end') socket?.end();
}

function serveSocket(
  client: WebSocket,
  socket: Duplex,
  options: FakeUpstreamOptions,
  answer: (
    raw: Buffer,
    body: Record<string, unknown>,
    turn: ModelTurn,
  ) => { events: Iterable<ResponseEvent>; seen: SeenRequest },
): void {
  const histories = new Map<unknown, unknown[]>();
  client.on('message', async message => {
    const raw = Buffer.from(message as Buffer);
    const body = JSON.parse(raw.toString()) as Record<string, unknown>;
    const input = [...(histories.get(body['previous_response_id']) ?? []), ...(body['input'] as unknown[])];
    const output = body['generate'] === false ? [] : undefined;
    const { events, seen } = answer(raw, body, modelTurn(input, output));
    const end = await sendReply(events, seen, options, event => {
      if (event.type === 'response.completed') {
        const response = event['response'] as { id: string; output: unknown[] };
        histories.set(response.id, [...input, ...response.output]);
      }
      const text = JSON.stringify(event);
      seen.replied.push(text);
      client.send(text);
      return client.readyState === client.OPEN;
    });
    if (end !== null) breakOff(socket, end);
  });
  client.on('error', () => undefined);
}

async function readRequest(request: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const { method = '', url = '', headers, rawHeaders } = request;
  return { method, url, headers, rawHeaders, raw, body: readBody(raw, headers), transport: 'http', replied: [] };
}

function readBody(raw: Buffer, headers: IncomingMessage['headers']): Record<string, unknown> | null {
  try {
    return JSON.parse(decodeContent(raw, headers['content-encoding'] ?? null).toString('utf8'));
  } catch {
    return null;
  }
}

/** What Codex asks beside the model: models, and with a ChatGPT login its account. */
function accountAnswer(path: string): object | null {
  if (path.endsWith('/models')) return { object: 'list', data: [{ id: 'gpt-5.5', object: 'model' }], models: [] };
  if (path.endsWith('/wham/accounts/check')) {
    const routing = { workspace_backend_origin: 'https://chatgpt.com', account_routing_override: 'NO_CONSTRAINT' };
    const account = { id: fakeAccountId, plan_type: 'pro', structure: 'personal', ...routing };
    return { accounts: [account], account_ordering: [fakeAccountId], default_account_id: fakeAccountId };
  }
  return null;
}
