import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { Emitter } from '../../../../server/base/emitter.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { EventStream, letGoWhenStalled, type PublishedEvent } from '../../../../server/surfaces/http/events.ts';
import { listenHttp } from '../../../../server/surfaces/http/listener.ts';
import { aDoor, token } from './door.ts';

const post = (body: unknown) => ({ method: 'POST', body: JSON.stringify(body) });

describe('who is answered', () => {
  it('refuses every path but the first page without the token, also one that does not exist', async () => {
    const door = await aDoor();
    for (const path of ['/openapi.json', '/api/events', '/api/things/list', '/api/none']) {
      const { status, headers, json } = await door.ask(path);
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toMatch(/^Bearer/);
      expect(json).toMatchObject({ code: 'server.denied', hint: expect.stringContaining('http.header') });
    }
    const first = await door.ask('/');
    expect(first.status).toBe(200);
    expect(first.text).toContain('/openapi.json');
  });

  it.each([`Bearer ${token.slice(1)}`, `Bearer ${token}a`, 'Bearer', 'Bearer ', `Basic ${token}`, token])(
    'refuses the header %j',
    async authorization => {
      const door = await aDoor();
      expect((await door.ask('/api/things/list', { headers: { authorization } })).status).toBe(401);
    },
  );

  it('refuses two Authorization headers, two Host headers and none', async () => {
    const door = await aDoor();
    const host = `Host: 127.0.0.1:${door.port}\r\n`;
    const shown = `Authorization: Bearer ${token}\r\n`;
    const start = 'GET /api/things/list HTTP/1.1\r\nConnection: close\r\n';
    expect(await door.raw(`${start}${host}${shown}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
    expect(await door.raw(`${start}${host}${shown}${shown}\r\n`)).toMatch(/^HTTP\/1.1 401 /);
    expect(await door.raw(`${start}${host}Host: evil.example\r\n${shown}\r\n`)).toMatch(/^HTTP\/1.1 4\d\d /);
    for (const none of ['', 'Host:\r\n', 'Host: \r\n']) {
      expect(await door.raw(`${start}${none}${shown}\r\n`)).toMatch(/^HTTP\/1.1 4\d\d /);
    }
    expect(await door.raw(`GET / HTTP/1.0\r\n${shown}\r\n`)).toMatch(/^HTTP\/1.1 421 /);
  });

  it.each([
    'evil.example',
    'evil.example:PORT',
    '127.0.0.1',
    '127.0.0.1:1',
    '127.0.0.1:PORT.evil.example',
    '[::1]:PORT',
  ])('refuses the Host %j, with the token too', async host => {
    const door = await aDoor();
    const { status } = await door.known('/', { headers: { host: host.replace('PORT', String(door.port)) } });
    expect([400, 421]).toContain(status);
  });

  it('knows itself as localhost', async () => {
    const door = await aDoor();
    const { status } = await door.known('/api/things/list', { headers: { host: `localhost:${door.port}` } });
    expect(status).toBe(200);
  });

  it('refuses what a page in a browser sends, and grants no other origin anything', async () => {
    const door = await aDoor();
    for (const origin of ['https://evil.example', 'null', `http://127.0.0.1:${door.port}`]) {
      expect((await door.known('/api/things/list', { headers: { origin } })).status).toBe(403);
    }
    const preflight = await door.ask('/api/things/make', {
      method: 'OPTIONS',
      headers: { origin: 'https://x.example' },
    });
    expect(preflight.status).toBe(403);
    const { headers } = await door.known('/api/things/list');
    expect(Object.keys(headers).filter(name => name.startsWith('access-control'))).toEqual([]);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });

  it('listens on no other address of this machine', async () => {
    const door = await aDoor();
    const others = Object.values(networkInterfaces())
      .flatMap(list => list ?? [])
      .filter(({ address, internal }) => !internal && !address.startsWith('fe80'))
      .map(({ address }) => address);
    for (const address of [...others, '::1']) expect(await accepts(address, door.port)).toBe(false);
    expect(await accepts('127.0.0.1', door.port)).toBe(true);
  });
});

describe('what is answered', () => {
  it('takes parameters of a GET in their types, with defaults', async () => {
    const door = await aDoor();
    const { json } = await door.known('/api/things/list?limit=3&open=true&words=a&words=b%20c&repository=/r');
    expect(json).toEqual({ asked: { limit: 3, open: true, words: ['a', 'b c'], repository: '/r' } });
    expect((await door.known('/api/things/list')).json).toEqual({ asked: { limit: 50, open: false, words: [] } });
  });

  it('takes a body of JSON', async () => {
    const door = await aDoor();
    const { status, json } = await door.known('/api/things/make', post({ repository: '/r', title: 'ü"\u2028' }));
    expect(status).toBe(200);
    expect(json).toEqual({ asked: { repository: '/r', title: 'ü"\u2028' } });
  });

  it('answers a fault with its code, message, hint and a fitting status', async () => {
    const door = await aDoor();
    const { status, json } = await door.known('/api/things/fail', { method: 'POST' });
    expect(status).toBe(404);
    expect(json).toEqual({ code: 'run.missing', message: 'No run x.', hint: 'See: codex-coach runs list' });
  });

  it.each([
    ['?limit=0', /limit/],
    ['?limit=1e3', /limit/],
    ['?limit=', /limit/],
    ['?limit=5&limit=6', /2 times/],
    ['?open=yes', /open/],
    ['?limt=5', /no such parameter: limt/],
    ['?__proto__=5', /no such parameter: __proto__/],
    ['?constructor=5', /no such parameter: constructor/],
    ['?repository=r', /absolute/],
    ['?repository=..%2Fr', /absolute/],
    ['?repository=/r%00', /absolute/],
  ])('refuses the query %s and says why', async (query, reason) => {
    const door = await aDoor();
    const { status, json } = await door.known(`/api/things/list${query}`);
    expect(status).toBe(400);
    expect(json).toMatchObject({ code: 'input.invalid', message: expect.stringMatching(reason) });
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['a list', '[]', /object/],
    ['null', 'null', /object/],
    ['a text', '"x"', /object/],
    ['half an object', '{"repository":', /not JSON/],
    ['an object that lacks something', '{"repository":"/r"}', /title/],
    ['a relative path', '{"repository":"r","title":"x"}', /absolute/],
    ['a value of another type', '{"repository":["/r"],"title":"x"}', /repository/],
    ['a name that is not known', '{"repository":"/r","title":"x","more":1}', /no such parameter: more/],
    ['a prototype', '{"__proto__":{"title":"x"},"repository":"/r"}', /no such parameter: __proto__/],
    ['a confirmation of what costs nothing', '{"repository":"/r","title":"x","yes":true}', /no such parameter: yes/],
    ['an abyss', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, /no such parameter|not JSON/],
    ['bytes that are no text', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /UTF-8/],
  ])('refuses %s as a body and says why', async (_, body, reason) => {
    const door = await aDoor();
    const { status, json } = await door.known('/api/things/make', { method: 'POST', body });
    expect(status).toBe(400);
    expect(json).toMatchObject({ code: 'input.invalid', message: expect.stringMatching(reason) });
  });

  it('refuses a body of another type, as a form of a page would send it', async () => {
    const door = await aDoor();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
      const sent = { ...post({ repository: '/r', title: 'x' }), headers: { 'content-type': type } };
      expect((await door.known('/api/things/make', sent)).status).toBe(415);
    }
    const withCharset = { 'content-type': 'application/json; charset=utf-8' };
    const sent = { ...post({ repository: '/r', title: 'x' }), headers: withCharset };
    expect((await door.known('/api/things/make', sent)).status).toBe(200);
  });

  it('refuses a body that is too large, also one that tells no length, and goes on', async () => {
    const door = await aDoor();
    const body = 'x'.repeat(5 * 1024 * 1024);
    expect((await door.known('/api/things/make', { method: 'POST', body })).status).toBe(413);
    const chunked = { 'transfer-encoding': 'chunked' };
    expect((await door.known('/api/things/make', { method: 'POST', body, headers: chunked })).status).toBe(413);
    expect((await door.known('/api/things/list')).status).toBe(200);
  });

  it('says where everything is described when a path leads nowhere', async () => {
    const door = await aDoor();
    const paths = ['/api', '/api/things', '/api/things/secret', '/api/things/list/', '/API/things/list'];
    const traversals = ['/api/things/../things/list', '/api/things/%6cist', '//api/things/list', '/../../etc/passwd'];
    for (const path of [...paths, ...traversals]) {
      const { status, json } = await door.known(path);
      expect(status).toBe(404);
      expect(json).toMatchObject({ hint: expect.stringContaining('/openapi.json') });
    }
  });

  it('takes each request by one method', async () => {
    const door = await aDoor();
    const { status, headers } = await door.known('/api/things/list', post({}));
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
    expect((await door.known('/api/things/make')).headers['allow']).toBe('POST');
    expect((await door.known('/', post({}))).status).toBe(405);
  });

  it('answers HEAD as GET, without the body', async () => {
    const door = await aDoor();
    const head = { method: 'HEAD' };
    const { status, headers, text } = await door.ask('/', head);
    expect([status, headers['content-type'], text]).toEqual([200, 'text/plain; charset=utf-8', '']);
    expect((await door.known('/api/things/list', head)).status).toBe(200);
    expect((await door.known('/api/things/list?limit=0', head)).status).toBe(400);
    expect((await door.ask('/api/things/list', head)).status).toBe(401);
    expect((await door.known('/api/things/make', head)).status).toBe(405);
    expect((await door.known('/api/events', head)).status).toBe(405);
  });

  it('spends no money without "yes": true', async () => {
    const door = await aDoor();
    for (const body of [{}, { yes: false }, { yes: 'true' }, { yes: 1 }]) {
      const { status, json } = await door.known('/api/things/buy-one', post(body));
      expect(status).toBe(402);
      expect(json).toMatchObject({ code: 'cost.unconfirmed', hint: expect.stringContaining('"yes": true') });
    }
    const { json } = await door.known('/api/things/buy-one', post({ yes: true, name: 'one' }));
    expect(json).toEqual({ asked: { name: 'one' } });
  });

  it('survives what is not HTTP', async () => {
    const door = await aDoor();
    for (const text of ['\x16\x03\x01\x02', 'GET\r\n\r\n', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`]) {
      expect(await door.raw(text)).toMatch(/^(HTTP\/1.1 4\d\d |$)/);
    }
    const smuggled = `POST /api/things/make HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    expect(await door.raw(smuggled)).toMatch(/^HTTP\/1.1 400 /);
    expect((await door.known('/api/things/list')).status).toBe(200);
  });

  it('cancels a request whose sender leaves', async () => {
    const door = await aDoor();
    const sent = open(door.port, '/api/things/wait', 'POST');
    await door.waiting;
    sent.request.destroy();
    await door.cancelled;
  });

  it('ends what is under way when it is closed', async () => {
    const door = await aDoor();
    const sent = open(door.port, '/api/things/wait', 'POST');
    await door.waiting;
    await door.close();
    await door.cancelled;
    await expect(sent.response).rejects.toThrow();
  });

  it('says so when its port is taken', async () => {
    const door = await aDoor();
    const published = { names: [], events: new Emitter<PublishedEvent>() };
    await expect(listenHttp(door.port, { routes: [], published, token, log: silentLog })).rejects.toMatchObject({
      code: 'http.portInUse',
      hint: expect.stringContaining('--port'),
    });
  });
});

describe('events', () => {
  it('sends what is published, by name', async () => {
    const door = await aDoor();
    const { response } = open(door.port, '/api/events?event=things.ticked');
    const stream = await response;
    expect(stream.headers['content-type']).toBe('text/event-stream');
    door.tick(1);
    door.tick(2);
    expect(await read(stream, 2)).toEqual([
      ['things.ticked', { count: 1 }],
      ['things.ticked', { count: 2 }],
    ]);
    stream.destroy();
  });

  it('refuses the name of an event that there is not', async () => {
    const door = await aDoor();
    const { status, json } = await door.known('/api/events?event=things.tocked');
    expect(status).toBe(400);
    expect(json).toMatchObject({ hint: expect.stringContaining('things.ticked') });
  });

  it('streams the answer of a long request with what happens meanwhile', async () => {
    const door = await aDoor();
    const made = open(door.port, '/api/things/make', 'POST', '{"repository":"/r","title":"line\\nbreak"}', true);
    expect(await read(await made.response, 1)).toEqual([
      ['result', { asked: { repository: '/r', title: 'line\nbreak' } }],
    ]);
    const failed = open(door.port, '/api/things/fail', 'POST', '', true);
    expect(await read(await failed.response, 1)).toEqual([
      ['error', { code: 'run.missing', message: 'No run x.', hint: 'See: codex-coach runs list' }],
    ]);
    const waiting = open(door.port, '/api/things/wait', 'POST', '', true);
    const stream = await waiting.response;
    await door.waiting;
    door.tick(7);
    expect(await read(stream, 1)).toEqual([['things.ticked', { count: 7 }]]);
    stream.destroy();
    await door.cancelled;
  });
});

it('lets a reader go that takes nothing of what it is sent', async () => {
  const unread = Promise.withResolvers<void>();
  const server = createServer((_request, response) => {
    response.on('error', () => undefined);
    const stream = new EventStream(response);
    const text = 'x'.repeat(1024 * 1024);
    const timer = setInterval(() => stream.send('things.ticked', { text }), 1);
    response.once('close', () => {
      clearInterval(timer);
      unread.resolve();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { response } = open((server.address() as AddressInfo).port, '/');
  (await response).pause();
  await unread.promise;
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
});

it('lets a reader go that has stopped in the middle of an answer, and none that goes on slowly', async () => {
  const ended: string[] = [];
  const server = createServer((request, response) => {
    response.once('close', () => ended.push(`${request.url} ${response.writableFinished ? 'whole' : 'cut'}`));
    letGoWhenStalled(response, 1000);
    response.end(Buffer.alloc(20_000_000));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const [stopped, slow] = await Promise.all([open(port, '/stopped').response, open(port, '/slow').response]);
  stopped.once('error', () => undefined).pause();
  for await (const _ of slow) await sleep(5);
  await vi.waitFor(() => expect(ended).toHaveLength(2), 10_000);
  expect(ended.sort()).toEqual(['/slow whole', '/stopped cut']);
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
});

/** A request with the token whose answer is read as it comes. */
function open(port: number, path: string, method = 'GET', body = '', streamed = false) {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    ...(streamed ? { accept: 'text/event-stream' } : {}),
  };
  const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
  });
  response.catch(() => undefined);
  request.end(body);
  return { request, response };
}

/** The next so many events of a stream. */
function read(stream: IncomingMessage, count: number): Promise<[string, unknown][]> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.on('error', reject);
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const blocks = text.split('\n\n').slice(0, -1);
      if (blocks.length < count) return;
      resolve(
        blocks.map(block => {
          const match = /^event: (.+)\ndata: (.+)$/.exec(block);
          return [match?.[1] ?? '', JSON.parse(match?.[2] ?? 'null')];
        }),
      );
    });
  });
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, host);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
