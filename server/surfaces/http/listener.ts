import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CoachError } from '../../../protocol/errors.ts';
import type { Log } from '../../base/log.ts';
import { describeApi, welcome } from './description.ts';
import { chosenEvents, EventStream, letGoWhenStalled, type Published } from './events.ts';
import { checkSender, checkToken } from './guard.ts';
import { checkedParams, fromBody, fromQuery } from './parameters.ts';
import { Refusal, statusOf } from './refusal.ts';
import type { Route } from './routes.ts';

export interface HttpDeps {
  readonly routes: readonly Route[];
  readonly published: Published;
  /** What everyone must show, but for the page that says so. */
  readonly token: string;
  readonly log: Log;
}

export interface HttpListener {
  readonly port: number;
  /** Ends every connection, and with it what is under way; answers when that has ended. */
  close(): Promise<void>;
}

const loopback = '127.0.0.1';
/** By what a page is read: Node leaves the body out of an answer to HEAD. */
const reading = ['GET', 'HEAD'];
const maxConnections = 128;
const maxBodyBytes = 4 * 1024 * 1024;
/** What a sender may take for its headers, and for all that it sends. An answer may take as long as its reader goes on. */
const timeLimits = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5000 };

/** Not for browsers: no cross-origin access is granted, nothing is kept, nothing is guessed. */
const headers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'",
  'x-content-type-options': 'nosniff',
};

/**
 * Answers HTTP on a port of 127.0.0.1; 0 takes a free one.
 * @throws CoachError `http.portInUse`
 */
export async function listenHttp(port: number, deps: HttpDeps): Promise<HttpListener> {
  const door = new HttpDoor(deps);
  const server = createServer({ ...timeLimits, maxHeaderSize: 16_384 }, (request, response) =>
    door.handle(request, response),
  );
  server.maxConnections = maxConnections;
  await listen(server, port);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      server.closeAllConnections();
      await door.settled();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const hint = 'Choose another: codex-coach serve --port <n>; 0 takes a free one.';
      if (cause.code !== 'EADDRINUSE') reject(cause);
      else reject(new CoachError('http.portInUse', `Port ${port} is taken by another program.`, { cause, hint }));
    });
    server.listen(port, loopback, resolve);
  });
}

class HttpDoor {
  readonly #deps: HttpDeps;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #description: string;
  readonly #underWay = new Set<Promise<void>>();

  constructor(deps: HttpDeps) {
    this.#deps = deps;
    this.#routes = new Map(deps.routes.map(route => [route.path, route]));
    this.#description = JSON.stringify(describeApi(deps.routes, deps.published.names));
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const startedAt = Date.now();
    // Of a reader who left: what is under way hears of it by its signal.
    response.on('error', () => undefined);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const { method, url = '' } = request;
    const [path = '', query = ''] = splitOnce(url, '?');
    const answered = this.#answer(request, response, path, new URLSearchParams(query))
      .catch((error: unknown) => refuse(response, error))
      .finally(() => {
        this.#underWay.delete(answered);
        // Without the query, which may hold private words.
        const fields = { method, path: path.slice(0, 200), status: response.statusCode, ms: Date.now() - startedAt };
        this.#deps.log.info('Answered.', fields);
      });
    this.#underWay.add(answered);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: URLSearchParams,
  ): Promise<void> {
    checkSender(request);
    if (path === '/') return this.#fixed(request, response, 'text/plain; charset=utf-8', welcome);
    checkToken(request, this.#deps.token);
    if (path === '/openapi.json') return this.#fixed(request, response, 'application/json', this.#description);
    if (path === '/api/events') return this.#events(request, response, query);
    const route = this.#routes.get(path);
    if (route === undefined) {
      throw new Refusal(404, 'There is nothing at this path.', { hint: 'All paths are described at /openapi.json.' });
    }
    allowOnly(route.method === 'GET' ? reading : [route.method], request);
    const values = route.method === 'GET' ? fromQuery(route, query) : fromBody(route, await readBody(request));
    const params = checkedParams(route, values);
    const ended = endOf(response);
    if (wantsEvents(request)) return this.#stream(route, params, response, ended);
    const value = await route.answer(params, ended, () => undefined);
    send(response, 200, value);
  }

  #fixed(request: IncomingMessage, response: ServerResponse, type: string, text: string): void {
    allowOnly(reading, request);
    response.writeHead(200, { 'content-type': type }).end(text);
  }

  /** Lasts until the reader leaves. */
  #events(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    allowOnly(['GET'], request);
    const names = chosenEvents(query, this.#deps.published);
    const ended = endOf(response);
    const stream = new EventStream(response);
    const subscription = this.#deps.published.events.on(({ name, payload }) => {
      if (names.has(name)) stream.send(name, payload);
    });
    return new Promise(resolve =>
      ended.addEventListener('abort', () => {
        subscription.dispose();
        resolve();
      }),
    );
  }

  /** For what takes minutes: something is heard meanwhile, and no client gives up on silence. */
  async #stream(route: Route, params: unknown, response: ServerResponse, ended: AbortSignal): Promise<void> {
    const stream = new EventStream(response);
    const subscription = this.#deps.published.events.on(({ name, payload }) => stream.send(name, payload));
    try {
      stream.send('result', await route.answer(params, ended, text => stream.send('output', { text })));
    } catch (error) {
      stream.send('error', CoachError.from(error).toShape());
    } finally {
      subscription.dispose();
      stream.end();
    }
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const fault = CoachError.from(error);
  for (const [name, value] of Object.entries(fault instanceof Refusal ? fault.headers : {})) {
    response.setHeader(name, value);
  }
  send(response, statusOf(fault), fault.toShape());
}

/** As bytes: of a long text that waits for its reader, Node would keep two more copies. */
function send(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  letGoWhenStalled(response);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

function allowOnly(methods: readonly string[], request: IncomingMessage): void {
  if (methods.includes(request.method ?? '')) return;
  throw new Refusal(405, `This is asked by ${methods[0]}.`, { headers: { allow: methods.join(', ') } });
}

function wantsEvents(request: IncomingMessage): boolean {
  return request.headers.accept?.includes('text/event-stream') ?? false;
}

/** Given when the connection ends before the answer did: who asked has left. */
function endOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const end = () => {
    if (!response.writableFinished) controller.abort();
  };
  if (response.destroyed) end();
  else response.once('close', end);
  return controller.signal;
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const type = request.headers['content-type'] ?? '';
  const body = await collect(request);
  if (body.length === 0 || /^application\/json *(;|$)/i.test(type)) return body;
  throw new Refusal(415, 'The body must be application/json.');
}

function collect(request: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= maxBodyBytes) return void chunks.push(chunk);
      // What follows is read and dropped, so that the refusal is heard.
      chunks.length = 0;
      reject(new Refusal(413, `A body may have ${maxBodyBytes} bytes at most.`));
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', reject);
  });
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
