import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { silentLog } from '../../../server/base/log.ts';
import { createProxy } from '../../../server/proxy/captureProxy.ts';
import type { LaunchSpec } from '../../../server/proxy/proxy.ts';
import { toAddressPolicy } from '../../../server/proxy/upstream/addressPolicy.ts';
import { startRecorder } from '../../../server/traces/recorder/recorder.ts';
import { type FakeUpstreamOptions, startFakeUpstream } from '../../fakes/upstream.ts';
import { testAuthority } from '../../fakes/upstreamCertificate.ts';
import { say } from '../../fakes/upstreamModel.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { aRecordingWorld, askDatabase, openSecure, openTunnel, readAll } from './recordingWorld.ts';

const host = 'api.openai.com';
const prompt = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'SAY hello' }] };

function aBody(more: object = {}): Buffer {
  return Buffer.from(JSON.stringify({ model: 'gpt-5.5', stream: true, input: [prompt], ...more }));
}

function aPost(body: Buffer, headers = ''): string {
  const usual = `Host: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  return `POST /v1/responses HTTP/1.1\r\n${usual}${headers}\r\n${body.toString('latin1')}`;
}

/** A world with a TLS upstream in place of api.openai.com. */
async function setUp(options: FakeUpstreamOptions = {}, spec: Partial<LaunchSpec> = {}) {
  const authority = testAuthority();
  onTestFinished(() => authority.dispose());
  const upstream = await startFakeUpstream({ tls: authority.issue('127.0.0.1'), ...options });
  onTestFinished(() => upstream.dispose());
  const world = await aRecordingWorld();
  const override = { host, target: upstream.origin, caFile: authority.caFile };
  const launch = await world.open({ overrides: [override], ...spec });
  return { world, upstream, launch, override };
}

/** A raw TLS upstream: what it gets is visible byte for byte, what it sends is not touched by a server's library. */
async function rawUpstream(serve: (socket: Socket) => void, names = ['127.0.0.1'], days = 2) {
  const authority = testAuthority(days);
  const server = createTlsServer({ ...authority.issue(...names), ALPNProtocols: ['http/1.1'] }, socket => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  const open = new Set<Socket>();
  server.on('connection', socket => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
    authority.dispose();
  });
  const { port } = server.address() as { port: number };
  return { override: { host, target: `https://127.0.0.1:${port}`, caFile: authority.caFile }, open };
}

describe('an intercepted connection', () => {
  it('passes requests and replies byte for byte, doubled headers and their case included', async () => {
    let got = '';
    const reply = 'HTTP/1.1 200 Fine By Me\r\nX-Dup: 1\r\nx-dup: 2\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}';
    const { override } = await rawUpstream(socket => {
      socket.on('data', chunk => {
        got += chunk.toString('latin1');
        if (got.endsWith('{"model":"m"}')) socket.end(reply);
      });
    });
    const world = await aRecordingWorld();
    const launch = await world.open({ overrides: [override] });
    const client = await openSecure(world, host, launch.launch.token);
    const sent = `POST /v1/responses?x=1 HTTP/1.1\r\nhOsT: ${host}\r\nX-A: 1\r\nx-a:  2 \r\nContent-Length: 13\r\n\r\n{"model":"m"}`;
    client.write(sent);
    expect(await readAll(client)).toBe(reply);
    expect(got).toBe(sent);
  });

  it('is stored with the host that the agent addressed, not the one it went to', async () => {
    const { world, launch } = await setUp();
    const client = await openSecure(world, host, launch.launch.token);
    client.write(aPost(aBody(), 'Connection: close\r\n'));
    expect(await readAll(client)).toContain('response.completed');
    await launch.settled();
    expect(askDatabase(world.database)).toMatchObject([{ model: 'gpt-5.5', host }]);
    expect(world.store.exchangesOfLaunch(launch.id)).toMatchObject([
      { url: `https://${host}/v1/responses`, status: 200, transport: 'sse', usage: { inputTokens: 1000 } },
    ]);
  });

  it('keeps several requests on one connection apart', async () => {
    const { world, launch } = await setUp();
    const client = await openSecure(world, host, launch.launch.token);
    client.write(aPost(aBody({ model: 'first' })) + aPost(aBody({ model: 'second' }), 'Connection: close\r\n'));
    await readAll(client);
    await launch.settled();
    expect(world.store.exchangesOfLaunch(launch.id).map(exchange => exchange.model)).toEqual(['first', 'second']);
  });

  it('reads request bodies in zstd', async () => {
    const { world, launch } = await setUp();
    const client = await openSecure(world, host, launch.launch.token);
    const body = zstdCompressSync(aBody());
    client.write(
      aPost(Buffer.alloc(0), 'Content-Encoding: zstd\r\nConnection: close\r\n').replace(
        'Content-Length: 0',
        `Content-Length: ${body.length}`,
      ),
    );
    client.write(body);
    await readAll(client);
    await launch.settled();
    expect(askDatabase(world.database)).toMatchObject([{ model: 'gpt-5.5', host }]);
  });

  it('needs no token on this machine, and says why when the host cannot be reached', async () => {
    const world = await aRecordingWorld();
    const refused = await openTunnel(world.port, 'nowhere.invalid:443').catch((error: Error) => error.message);
    expect(refused).toMatch(/^HTTP\/1\.1 502 /);
    expect(refused).toContain("Can't reach nowhere.invalid:443");
  });

  it('passes a 401 through and records what the API said', async () => {
    const { world, launch } = await setUp({
      intercept: (_request, response) => {
        response.writeHead(401, { 'content-type': 'application/json' });
        response.end('{"error":{"message":"Incorrect API key provided"}}');
        return true;
      },
    });
    const client = await openSecure(world, host, launch.launch.token);
    client.write(aPost(aBody(), 'Connection: close\r\n'));
    expect(await readAll(client)).toMatch(/^HTTP\/1\.1 401 /);
    await launch.settled();
    expect(world.store.exchangesOfLaunch(launch.id)).toMatchObject([
      { status: 401, error: 'Incorrect API key provided', cost: { kind: 'none' } },
    ]);
  });

  it('ends the upstream within 500 ms when the agent is gone, and keeps what had come', async () => {
    const { world, upstream, launch } = await setUp({
      eventDelayMs: 30,
      model: () => [say('one two three four five six seven eight nine ten')],
    });
    const client = await openSecure(world, host, launch.launch.token);
    client.write(aPost(aBody()));
    await vi.waitFor(async () => {
      const [chunk] = await once(client, 'data');
      expect(String(chunk)).toContain('output_text.delta');
    });
    expect(upstream.connections()).toBe(1);
    client.destroy();
    await vi.waitFor(() => expect(upstream.connections()).toBe(0), { timeout: 500, interval: 5 });
    await launch.settled();
    expect(world.store.exchangesOfLaunch(launch.id)).toMatchObject([
      { error: 'The stream ended before the reply was complete.', usage: { inputTokens: null } },
    ]);
    const [session = ''] = launch.sessionIds();
    expect(world.store.conversation(session).at(-1)?.text).toMatch(/^one/);
    expect(world.proxy.status().openConnections).toBe(0);
  });

  it('ends the upstream when it fails itself before anything is passed on', async () => {
    const { override, open } = await rawUpstream(() => undefined);
    const world = await aRecordingWorld();
    const tap = vi.spyOn(world.recorder, 'tap').mockImplementation(() => {
      throw new Error('as ordered');
    });
    const launch = await world.open({ overrides: [override] });
    await expect(openSecure(world, host, launch.launch.token)).rejects.toThrow();
    expect(tap).toHaveBeenCalled();
    await expect.poll(() => open.size).toBe(0);
  });

  it('ends the upstream also while the model is silent', async () => {
    const { override, open } = await rawUpstream(socket => socket.resume());
    const world = await aRecordingWorld();
    const launch = await world.open({ overrides: [override] });
    const client = await openSecure(world, host, launch.launch.token);
    client.write(aPost(aBody()));
    await vi.waitFor(() => expect(open.size).toBe(1));
    client.end();
    await vi.waitFor(() => expect(open.size).toBe(0), { timeout: 500, interval: 5 });
  });

  it('lets an agent read an early reply although its request is not all sent', async () => {
    const { override } = await rawUpstream(socket => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nno!'),
      );
    });
    const world = await aRecordingWorld();
    const launch = await world.open({ overrides: [override] });
    const client = await openSecure(world, host, launch.launch.token);
    const request = aPost(Buffer.alloc(500_000, 'x'));
    client.pause();
    client.write(request.slice(0, 100_000));
    for (let sent = 100_000; sent < 400_000; sent += 100_000) {
      await new Promise(resolve => setTimeout(resolve, 50));
      client.write(request.slice(sent, sent + 100_000));
    }
    client.resume();
    expect(await readAll(client)).toMatch(/413 Too Large[\s\S]*no!$/);
  });

  it('slows the upstream down to the pace of a slow reader', async () => {
    let sent = 0;
    const total = 64 * 1024 * 1024;
    const { override } = await rawUpstream(socket => {
      const block = Buffer.alloc(64 * 1024, 'x');
      const send = () => {
        while (sent < total) {
          sent += block.length;
          if (!socket.write(block)) return void socket.once('drain', send);
        }
      };
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`);
        send();
      });
    });
    const world = await aRecordingWorld();
    const launch = await world.open({ overrides: [override] });
    const client = await openSecure(world, host, launch.launch.token);
    client.pause();
    client.write(`GET /v1/files/1 HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await new Promise(resolve => setTimeout(resolve, 500));
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(total / 2);
    client.destroy();
  });

  it('offers HTTP/1.1 only, under a certificate for exactly this host', async () => {
    const { world, launch } = await setUp();
    const client = await openSecure(world, host, launch.launch.token);
    expect(client.alpnProtocol).toBe('http/1.1');
    expect(client.getPeerCertificate().subjectaltname).toBe(`DNS:${host}`);
    client.destroy();
  });

  it.each([
    ['is signed by no one the machine trusts', ['127.0.0.1'], 2, false, /certificate/],
    ['is for another name', ['elsewhere.test'], 2, true, /IP: 127.0.0.1 is not in the cert/],
    ['has expired', ['127.0.0.1'], -0.5, true, /expired/],
  ])('is refused with the reason when the upstream’s certificate %s', async (_case, names, days, trusted, reason) => {
    const { override } = await rawUpstream(() => undefined, names, days);
    const world = await aRecordingWorld();
    const { caFile: _, ...untrusted } = override;
    const launch = await world.open({ overrides: [trusted ? override : untrusted] });
    const answer = await openTunnel(world.port, `${host}:443`, launch.launch.token).catch(
      (error: Error) => error.message,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toMatch(reason);
  });
});

describe('a WebSocket', () => {
  it.each([false, true])('passes as it is and is recorded (permessage-deflate: %s)', async deflate => {
    const { world, launch } = await setUp({ webSocket: true, deflate });
    const secure = await openSecure(world, host, launch.launch.token);
    const client = new WebSocket(`wss://${host}/v1/responses`, {
      createConnection: () => secure,
      headers: { 'thread-id': 'thread-1' },
      perMessageDeflate: deflate,
    } as object);
    const ask = (message: object) =>
      new Promise<{ id: string }>(resolve => {
        client.on('message', text => {
          const event = JSON.parse(String(text));
          if (event.type === 'response.completed') resolve(event.response);
        });
        client.send(JSON.stringify({ type: 'response.create', model: 'gpt-5.5', ...message }));
      });
    await once(client, 'open');
    const first = await ask({ input: [prompt] });
    const again = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'SAY bye' }] };
    await ask({ input: [again], previous_response_id: first.id });
    client.close();
    await once(client, 'close');
    await launch.settled();
    expect(world.store.conversation('thread-1').map(item => [item.kind, item.text])).toEqual([
      ['user', 'SAY hello'],
      ['reasoning', 'Done.'],
      ['assistant', 'hello'],
      ['user', 'SAY bye'],
      ['reasoning', 'Done.'],
      ['assistant', 'bye'],
    ]);
    expect(world.proxy.status().uncaptured).toBe(0);
  });

  it.each([426, 401])('that is refused with %i is refused to the agent in the same words', async upgradeStatus => {
    const { world, launch } = await setUp({ upgradeStatus });
    const secure = await openSecure(world, host, launch.launch.token);
    const client = new WebSocket(`wss://${host}/v1/responses`, { createConnection: () => secure } as object);
    const [error] = await once(client, 'error');
    expect(String(error)).toContain(`${upgradeStatus}`);
    await launch.settled();
    expect(world.store.sideRequests(host, '/v1/responses')).toBe(1);
  });
});

describe('a base URL', () => {
  const post = (url: string, body: Buffer, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: { 'content-type': 'application/json', connection: 'close', ...headers },
    });

  it('puts the real key in place of the agent’s, and hides it from the trace', async () => {
    const realKey = 'very-secret-value-without-a-known-shape';
    const { world, upstream, launch } = await setUp({}, { realKey });
    const body = aBody({ note: `a prompt with ${realKey} in it` });
    const answer = await post(`${launch.launch.baseUrl}/responses?a=b`, body, { authorization: 'Bearer placeholder' });
    expect(await answer.text()).toContain('response.completed');
    expect(upstream.requests[0]).toMatchObject({
      url: '/v1/responses?a=b',
      headers: { host, authorization: `Bearer ${realKey}` },
    });
    await launch.settled();
    expect(world.store.exchangesOfLaunch(launch.id)).toMatchObject([{ url: `https://${host}/v1/responses?a=b` }]);
    await world.recorder.dispose();
    const stored = readFileSync(world.database).toString('latin1');
    expect(stored).not.toContain(realKey);
    expect(stored).not.toContain(launch.launch.token);
  });

  it('is also taken through a tunnel to ourselves, as agents ask that heed no NO_PROXY', async () => {
    const { world, upstream, launch } = await setUp();
    const us = `127.0.0.1:${world.port}`;
    const body = aBody();
    const head = `Host: ${us}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n`;
    const tunnel = await openTunnel(world.port, us, launch.launch.token);
    tunnel.write(
      `POST /${launch.launch.token}/v1/responses HTTP/1.1\r\n${head}\r\n${body.toString('latin1')}`,
      'latin1',
    );
    expect(await readAll(tunnel)).toContain('response.completed');
    expect(upstream.requests).toMatchObject([{ url: '/v1/responses', headers: { host } }]);
    await launch.settled();
    expect(world.store.exchangesOfLaunch(launch.id)).toHaveLength(1);
    // It is no way to anywhere else, and none for whoever has no launch.
    const again = await openTunnel(world.port, us, launch.launch.token);
    again.write(`CONNECT ${us} HTTP/1.1\r\nHost: ${us}\r\n\r\n`);
    expect(await readAll(again)).toMatch(/^HTTP\/1\.1 400 /);
    await expect(openTunnel(world.port, us)).rejects.toThrow('HTTP/1.1 403');
  });

  it('answers 502 in the API’s own error shape when the upstream is dead', async () => {
    const world = await aRecordingWorld();
    const launch = await world.open({ overrides: [{ host, target: 'http://127.0.0.1:9' }] });
    const answer = await post(`${launch.launch.baseUrl}/responses`, aBody());
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({
      error: { message: expect.stringContaining("Can't reach 127.0.0.1:9") },
    });
  });

  it('is refused with an unknown token, and after its launch was closed', async () => {
    const { world, launch } = await setUp();
    expect((await post(`http://127.0.0.1:${world.port}/nonsense/v1/responses`, aBody())).status).toBe(401);
    await launch.dispose();
    expect((await post(`${launch.launch.baseUrl}/responses`, aBody())).status).toBe(401);
    await expect(openTunnel(world.port, `${host}:443`, launch.launch.token)).rejects.toThrow('HTTP/1.1 407');
  });

  it('takes WebSockets', async () => {
    const { upstream, launch } = await setUp({ webSocket: true }, { realKey: 'real-key-123456' });
    const client = new WebSocket(`${launch.launch.baseUrl.replace('http:', 'ws:')}/responses`);
    await once(client, 'open');
    client.send(JSON.stringify({ type: 'response.create', model: 'gpt-5.5', input: [prompt] }));
    await once(client, 'message');
    expect(upstream.requests[0]?.headers.authorization).toBe('Bearer real-key-123456');
    client.terminate();
    await launch.settled();
  });

  it('refuses requests that two parsers could read differently', async () => {
    const { upstream, launch, world } = await setUp();
    const socket = connect(world.port, '127.0.0.1');
    const path = new URL(`${launch.launch.baseUrl}/responses`).pathname;
    const body = '0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n';
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nContent-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n\r\n${body}`,
    );
    await readAll(socket).catch(() => '');
    expect(upstream.requests).toEqual([]);
  });

  it('counts the tokens of a reply while it streams', async () => {
    const { launch } = await setUp({ eventDelayMs: 100, model: () => [say('word '.repeat(20))] });
    const reading = post(`${launch.launch.baseUrl}/responses`, aBody()).then(answer => answer.text());
    await vi.waitFor(() => expect(launch.meter().streamingTokens).toBeGreaterThan(0), { timeout: 3000 });
    await reading;
    await launch.settled();
    expect(launch.meter()).toMatchObject({ streamingTokens: 0, exchanges: 1, usage: { outputTokens: 50 } });
  });

  it('is cut when the launch is aborted', async () => {
    const { upstream, launch } = await setUp({ eventDelayMs: 50, model: () => [say('word '.repeat(100))] });
    const reading = post(`${launch.launch.baseUrl}/responses`, aBody()).then(answer => answer.text());
    reading.catch(() => undefined);
    await vi.waitFor(() => expect(upstream.connections()).toBe(1));
    launch.abort();
    await expect(reading).rejects.toThrow();
    await vi.waitFor(() => expect(upstream.connections()).toBe(0), { timeout: 500 });
  });
});

describe('a Unix socket of a trial', () => {
  const trial = { trialId: 'trial-1', apiHosts: ['chatgpt.com'] };

  it('needs no token, for base URLs and for CONNECT to the agent’s API hosts', async () => {
    const { world, upstream, launch } = await setUp({}, trial);
    const path = join(world.directory, 'm.sock');
    await launch.listen(path);
    const status = await new Promise(resolve => {
      const headers = { host: '127.0.0.1:18099', connection: 'close', 'content-type': 'application/json' };
      const request = httpRequest({ socketPath: path, path: '/v1/responses', method: 'POST', headers }, response => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
      });
      request.end(aBody());
    });
    expect(status).toBe(200);
    (await openTunnel(0, `${host}:443`, undefined, path)).destroy();
    expect(upstream.requests).toHaveLength(1);
    await launch.settled();
    expect(world.store.exchangesOfTrial('trial-1')).toHaveLength(1);
  });

  it.each([
    '169.254.169.254:80',
    '127.0.0.1:22',
    '[::1]:443',
    'example.com:443',
    'api.openai.com.evil.test:443',
    `${host}:22`,
  ])('lets no one CONNECT to %s, and notes the attempt', async target => {
    const { world, launch } = await setUp({}, trial);
    const path = join(world.directory, 'm.sock');
    await launch.listen(path);
    await expect(openTunnel(0, target, undefined, path)).rejects.toThrow('HTTP/1.1 403');
    await launch.settled();
    expect(world.store.denialsOfTrial('trial-1')).toHaveLength(1);
  });

  it('is gone with its launch', async () => {
    const { world, launch } = await setUp({}, trial);
    const path = join(world.directory, 'm.sock');
    await launch.listen(path);
    await launch.dispose();
    await expect(openTunnel(0, `${host}:443`, undefined, path)).rejects.toThrow(/ENOENT|ECONNREFUSED/);
  });
});

describe('everything else', () => {
  it('passes blind: the proxy sees no plaintext and stores nothing', async () => {
    const world = await aRecordingWorld(null, { policy: toAddressPolicy('localhost') });
    const server = createServer(socket => socket.pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const tunnel = await openTunnel(world.port, `localhost:${port}`);
    tunnel.end('through and back');
    expect(await readAll(tunnel)).toBe('through and back');
    await world.recorder.flush();
    expect(askDatabase(world.database)).toEqual([]);
  });

  it.each(['evil.test', 'localhost.evil.test', '127.0.0.1:1', ''])('refuses a Host of %j', async name => {
    const world = await aRecordingWorld();
    const socket = connect(world.port, '127.0.0.1');
    socket.write(`GET /health HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('answers /health with what it is', async () => {
    const world = await aRecordingWorld();
    expect(await (await fetch(`http://127.0.0.1:${world.port}/health`)).json()).toMatchObject({
      product: 'codex-coach',
    });
  });

  it('says so when the port is taken, by whom, and what to do', async () => {
    const world = await aRecordingWorld();
    const directory = temporaryDirectory();
    const recorder = await startRecorder({
      file: join(directory, 't.sqlite3'),
      workerFile: null,
      idleSeconds: 1,
      log: silentLog,
    });
    const launchFile = join(directory, 'launches.json');
    const { store } = world;
    const second = createProxy({ caDirectory: directory, launchFile, recorder, store, log: silentLog, env: {} });
    onTestFinished(async () => {
      await second.dispose();
      await recorder.dispose();
    });
    await expect(second.start(world.port)).rejects.toMatchObject({
      code: 'proxy.portInUse',
      message: `Port ${world.port} is taken by another Codex Coach.`,
      hint: expect.stringContaining('PROXY_PORT'),
    });
    expect(second.status()).toMatchObject({ state: 'failed', port: null });
    expect(await second.start(0)).toMatchObject({ state: 'listening' });
  });

  it('marks a connection uncaptured, and lets it live, when what passes is no HTTP', async () => {
    const { override } = await rawUpstream(socket => socket.pipe(socket));
    const world = await aRecordingWorld();
    const launch = await world.open({ overrides: [override] });
    const client = await openSecure(world, host, launch.launch.token);
    client.write('this is not HTTP\r\n\r\n');
    const [echo] = await once(client, 'data');
    expect(String(echo)).toBe('this is not HTTP\r\n\r\n');
    client.destroy();
    await launch.settled();
    expect(world.proxy.status().uncaptured).toBe(1);
  });

  it('has certificates that openssl takes strictly', async () => {
    const { world, launch } = await setUp();
    const client = await openSecure(world, host, launch.launch.token);
    const file = join(world.directory, 'leaf.pem');
    const raw = client
      .getPeerCertificate()
      .raw.toString('base64')
      .match(/.{1,64}/g);
    writeFileSync(file, `-----BEGIN CERTIFICATE-----\n${raw?.join('\n')}\n-----END CERTIFICATE-----\n`);
    client.destroy();
    const { caFile } = world.proxy.status();
    const args = ['verify', '-x509_strict', '-verify_hostname', host, '-CAfile', caFile, file];
    expect(execFileSync('openssl', args, { encoding: 'utf8' })).toContain('OK');
  });
});
