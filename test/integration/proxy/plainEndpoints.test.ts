import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ModelHosts } from '../../../server/proxy/hosts.ts';
import { toAddressPolicy } from '../../../server/proxy/upstream/addressPolicy.ts';
import { startFakeUpstream } from '../../fakes/upstream.ts';
import { testAuthority } from '../../fakes/upstreamCertificate.ts';
import { aRecordingWorld, askDatabase, handlersOf, openTunnel, readAll } from './recordingWorld.ts';

const body = JSON.stringify({ model: 'gpt-oss:20b', stream: true, input: [] });

/** Something like Ollama: a model API without TLS, which the setting names. */
async function aLocalModel(names: (port: number) => string = port => `http://localhost:${port}`) {
  const upstream = await startFakeUpstream({ webSocket: true });
  onTestFinished(() => upstream.dispose());
  const world = await aRecordingWorld(null, { hosts: new ModelHosts(names(upstream.port)) });
  return { upstream, world };
}

function aPost(url: string, headers = ''): string {
  return `POST ${url} HTTP/1.1\r\nHost: elsewhere\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;
}

function send(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  return readAll(socket);
}

describe('a model without TLS', () => {
  it('is recorded through HTTP_PROXY, under the launch whose token is shown', async () => {
    const { upstream, world } = await aLocalModel();
    const launch = await world.open();
    const url = `http://LocalHost:${upstream.port}/v1/responses?a=b`;
    const shown = `Proxy-Authorization: Basic ${btoa(`coach:${launch.launch.token}`)}\r\nProxy-Connection: keep-alive\r\n`;
    expect(await send(world.port, aPost(url, shown))).toContain('response.completed');
    expect(upstream.requests[0]).toMatchObject({
      url: '/v1/responses?a=b',
      headers: { host: `localhost:${upstream.port}` },
    });
    expect(Object.keys(upstream.requests[0]?.headers ?? {})).not.toContain('proxy-authorization');
    await launch.settled();
    expect(world.store.exchangesOfLaunch(launch.id)).toMatchObject([
      { url: `http://localhost:${upstream.port}/v1/responses?a=b`, model: 'gpt-oss:20b', status: 200 },
    ]);
  });

  it('is recorded without a launch too', async () => {
    const { upstream, world } = await aLocalModel();
    await send(world.port, aPost(`http://localhost:${upstream.port}/v1/responses`));
    await world.recorder.flush();
    expect(askDatabase(world.database)).toMatchObject([{ model: 'gpt-oss:20b', host: 'localhost' }]);
    await vi.waitFor(() => expect(world.proxy.status().openConnections).toBe(0));
  });

  it('is recorded through the base URL of a launch', async () => {
    const { upstream, world } = await aLocalModel();
    const launch = await world.open({ defaultHost: `http://localhost:${upstream.port}` });
    const answer = await fetch(`${launch.launch.baseUrl}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(await answer.text()).toContain('response.completed');
    expect(upstream.requests[0]?.headers.host).toBe(`localhost:${upstream.port}`);
    await launch.settled();
    expect(world.store.exchangesOfLaunch(launch.id)).toMatchObject([
      { url: `http://localhost:${upstream.port}/v1/responses`, status: 200 },
    ]);
  });

  it('is where base-URL requests go when a launch names it', async () => {
    const { upstream, world } = await aLocalModel();
    const proxies = handlersOf(world);
    const spec = {
      agent: 'codex',
      overrides: [],
      replay: false,
      noProxy: '',
      endpoint: `http://localhost:${upstream.port}`,
    };
    const launch = await proxies.launch(spec, new AbortController().signal);
    const answer = await fetch(`${launch.baseUrl}/models`);
    expect(await answer.json()).toMatchObject({ object: 'list' });
    expect(upstream.requests).toMatchObject([{ url: '/v1/models' }]);
  });

  it('takes WebSockets through HTTP_PROXY', async () => {
    const { upstream, world } = await aLocalModel();
    const request = httpRequest({
      port: world.port,
      path: `http://localhost:${upstream.port}/v1/responses`,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
      },
    });
    request.end();
    const [response, socket] = await once(request, 'upgrade');
    expect(response.statusCode).toBe(101);
    socket.destroy();
    const direct = new WebSocket(`ws://localhost:${upstream.port}/`);
    await once(direct, 'open');
    direct.terminate();
  });

  it('may be all that a trial reaches', async () => {
    const { upstream, world } = await aLocalModel();
    const other = await startFakeUpstream();
    onTestFinished(() => other.dispose());
    const trial = { trialId: 'trial-1', defaultHost: `http://localhost:${upstream.port}` };
    const launch = await world.open(trial);
    const shown = `Proxy-Authorization: Basic ${btoa(`coach:${launch.launch.token}`)}\r\n`;
    expect(await send(world.port, aPost(`http://localhost:${upstream.port}/v1/responses`, shown))).toMatch(/ 200 /);
    expect(await send(world.port, aPost(`http://localhost:${other.port}/v1/responses`, shown))).toMatch(/ 403 /);
    expect(other.requests).toEqual([]);
    await launch.settled();
    expect(world.store.denialsOfTrial('trial-1')).toHaveLength(1);
  });
});

describe('plain HTTP that is for no model', () => {
  it('passes and is not recorded', async () => {
    const upstream = await startFakeUpstream();
    onTestFinished(() => upstream.dispose());
    const world = await aRecordingWorld(null, { policy: toAddressPolicy('localhost') });
    const answer = await send(world.port, aPost(`http://localhost:${upstream.port}/v1/responses`));
    expect(answer).toContain('response.completed');
    expect(upstream.requests[0]?.headers).toMatchObject({ host: `localhost:${upstream.port}`, connection: 'close' });
    await world.recorder.flush();
    expect(askDatabase(world.database)).toEqual([]);
    expect(world.proxy.status()).toMatchObject({ exchanges: 0, openConnections: 0 });
  });

  it('never reaches another host than its URL names', async () => {
    const seen: string[] = [];
    const server = createServer(socket => socket.on('data', chunk => seen.push(chunk.toString('latin1'))));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const world = await aRecordingWorld(null, { policy: toAddressPolicy('localhost') });
    const get = (url: string) => `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`;
    await send(world.port, get(`http://localhost:${port}/a`) + get('http://other.test/b')).catch(() => '');
    expect(seen.join('')).not.toContain('other.test');
  });

  it.each(['https://example.com/', 'ftp://example.com/', 'http://user@example.com/', 'example.com', '*', 'http://'])(
    'is no URL: %s',
    async url => {
      const world = await aRecordingWorld();
      expect(await send(world.port, `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    },
  );
});

it('a gateway of the setting is decrypted on its own port, under a certificate for its name', async () => {
  const authority = testAuthority();
  const upstream = await startFakeUpstream({ tls: authority.issue('localhost') });
  onTestFinished(async () => {
    await upstream.dispose();
    authority.dispose();
  });
  const hosts = new ModelHosts(`localhost:${upstream.port}`);
  const world = await aRecordingWorld(null, { hosts, env: { SSL_CERT_FILE: authority.caFile } });
  const launch = await world.open();
  const tunnel = await openTunnel(world.port, `localhost:${upstream.port}`, launch.launch.token);
  const ca = readFileSync(world.proxy.status().caFile);
  const client = connectTls({ socket: tunnel, servername: 'localhost', ca });
  client.write(aPost('/v1/responses', 'Connection: close\r\n'));
  expect(await readAll(client)).toContain('response.completed');
  await launch.settled();
  expect(world.store.exchangesOfLaunch(launch.id)).toMatchObject([
    { url: `https://localhost:${upstream.port}/v1/responses`, model: 'gpt-oss:20b' },
  ]);
});

it('a setting that names no model host says which entry', () => {
  expect(() => new ModelHosts('gateway.example, https://10.0.0.1')).toThrow('"https://10.0.0.1" is no model host');
});
