import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type OuterProxyOptions, startOuterProxy } from '../../fakes/outerProxy.ts';
import { startFakeUpstream } from '../../fakes/upstream.ts';
import { testAuthority } from '../../fakes/upstreamCertificate.ts';
import { aRecordingWorld, openSecure, openTunnel, readAll } from './recordingWorld.ts';

const host = 'api.openai.com';
const body = JSON.stringify({ model: 'gpt-5.5', stream: true, input: [] });
const post = `POST /v1/responses HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** A model host and a git host that only the outer proxy can reach. */
async function anOutside(options: Partial<OuterProxyOptions> = {}) {
  const authority = testAuthority();
  const model = await startFakeUpstream({ tls: authority.issue(host) });
  const git = createServer({ allowHalfOpen: true }, socket => socket.pipe(socket));
  git.listen(0, '127.0.0.1');
  await once(git, 'listening');
  const { port: gitPort } = git.address() as { port: number };
  const places = { [`${host}:443`]: model.port, 'git.example.test:443': gitPort, ...options.places };
  const outer = await startOuterProxy({ ...options, places });
  onTestFinished(async () => {
    outer.dispose();
    git.close();
    await model.dispose();
    authority.dispose();
  });
  return { outer, model, env: { SSL_CERT_FILE: authority.caFile } };
}

describe('the proxy of the environment', () => {
  it.each(['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'])('in %s leads to model hosts', async variable => {
    const { outer, env } = await anOutside();
    const world = await aRecordingWorld(null, { env: { ...env, [variable]: `http://127.0.0.1:${outer.port}` } });
    const launch = await world.open();
    const client = await openSecure(world, host, launch.launch.token);
    client.write(post);
    expect(await readAll(client)).toContain('response.completed');
    expect(outer.heads).toEqual([expect.stringMatching(/^CONNECT api\.openai\.com:443 HTTP\/1\.1\r\n/)]);
    expect(outer.heads[0]).not.toMatch(/proxy-authorization/i);
    await launch.settled();
    expect(world.store.exchangesOfLaunch(launch.id)).toMatchObject([
      { url: `https://${host}/v1/responses`, status: 200 },
    ]);
  });

  it('leads to everything else, and gets its own credentials, not those for us', async () => {
    const { outer, env } = await anOutside({ credentials: 'me:p@ss' });
    const world = await aRecordingWorld(null, { env: { ...env, HTTPS_PROXY: `me:p%40ss@127.0.0.1:${outer.port}` } });
    const launch = await world.open();
    const tunnel = await openTunnel(world.port, 'git.example.test:443', launch.launch.token);
    tunnel.end('a fetch');
    expect(await readAll(tunnel)).toBe('a fetch');
    expect(outer.heads[0]).toContain(`Proxy-Authorization: Basic ${btoa('me:p@ss')}`);
    expect(outer.heads[0]).not.toContain(btoa(`coach:${launch.launch.token}`));
  });

  it('may itself be spoken to in TLS', async () => {
    const authority = testAuthority();
    onTestFinished(() => authority.dispose());
    const { outer } = await anOutside({ tls: authority.issue('127.0.0.1') });
    const env = { SSL_CERT_FILE: authority.caFile, HTTPS_PROXY: `https://127.0.0.1:${outer.port}` };
    const world = await aRecordingWorld(null, { env });
    const tunnel = await openTunnel(world.port, 'git.example.test:443');
    tunnel.end('in TLS');
    expect(await readAll(tunnel)).toBe('in TLS');
  });

  it('gets plain HTTP as whole URLs', async () => {
    const upstream = await startFakeUpstream();
    onTestFinished(() => upstream.dispose());
    const { outer } = await anOutside({ places: { 'plain.example.test': upstream.port }, credentials: 'me:pass' });
    const world = await aRecordingWorld(null, { env: { http_proxy: `http://me:pass@127.0.0.1:${outer.port}` } });
    const socket = connect(world.port, '127.0.0.1');
    socket.write('GET http://plain.example.test/v1/models HTTP/1.1\r\nHost: plain.example.test\r\n\r\n');
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*"object":"list"/);
    expect(outer.heads[0]).toMatch(
      /^GET http:\/\/plain\.example\.test\/v1\/models HTTP\/1\.1\r\nHost: plain\.example\.test\r\n/,
    );
  });

  it.each([
    [
      { credentials: 'me:pass' },
      /answered 407 Proxy Authentication Required\. Give it a name and password: HTTPS_PROXY=/,
    ],
    [{ answer: 'HTTP/1.1 502 Bad Gateway\r\n\r\n' }, /answered 502 Bad Gateway/],
    [{ answer: 'HTTP/1.0 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!' }, /answered 403 Forbidden/],
    [{ answer: '' }, /it closed the connection/],
    [{ answer: 'SSH-2.0-OpenSSH\r\n\r\n' }, /Not an HTTP\/1.1 response/],
  ])('that refuses with %j is a 502 with the reason', async (options, reason) => {
    const { outer, env } = await anOutside(options);
    const world = await aRecordingWorld(null, { env: { ...env, HTTPS_PROXY: `http://127.0.0.1:${outer.port}` } });
    for (const target of [`${host}:443`, 'git.example.test:443']) {
      const answer = await openTunnel(world.port, target).catch((error: Error) => error.message);
      expect(answer).toMatch(/^HTTP\/1\.1 502 /);
      expect(answer).toContain(`Can't reach ${target}: the proxy 127.0.0.1:${outer.port} (HTTPS_PROXY)`);
      expect(answer).toMatch(reason);
    }
  });

  it.each([
    ['socks5://127.0.0.1:1080', 'ALL_PROXY is no http:// or https:// proxy'],
    ['http://127.0.0.1:9', "Can't reach the proxy 127.0.0.1:9 (ALL_PROXY): connect ECONNREFUSED"],
  ])('that cannot be used, %s, is a 502 that says so', async (proxy, reason) => {
    const world = await aRecordingWorld(null, { env: { ALL_PROXY: proxy } });
    const answer = await openTunnel(world.port, `${host}:443`).catch((error: Error) => error.message);
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain(reason);
  });

  it('is passed by for what NO_PROXY lists', async () => {
    const { outer, env } = await anOutside();
    const proxied = { ...env, HTTPS_PROXY: `http://127.0.0.1:${outer.port}`, NO_PROXY: `${host},.invalid` };
    const world = await aRecordingWorld(null, { env: proxied });
    await expect(openTunnel(world.port, 'nowhere.invalid:443')).rejects.toThrow(
      /502 [\s\S]*Can't reach nowhere\.invalid/,
    );
    expect(outer.heads).toEqual([]);
  });

  it('does not lead to places inside either', async () => {
    const { outer } = await anOutside({ places: { '169.254.169.254:80': 9, 'metadata.localhost:80': 9 } });
    const world = await aRecordingWorld(null, { env: { HTTPS_PROXY: `http://127.0.0.1:${outer.port}` } });
    for (const target of ['169.254.169.254:80', '0xa9fea9fe:80', 'metadata.localhost:80']) {
      await expect(openTunnel(world.port, target)).rejects.toThrow('HTTP/1.1 403');
    }
    expect(outer.heads).toEqual([]);
  });
});

describe('a circle', () => {
  it('is not begun: a server started from a recorded terminal goes straight', async () => {
    const { model, env: trust } = await anOutside();
    const env: NodeJS.ProcessEnv = { ...trust };
    const world = await aRecordingWorld(null, { env });
    const launch = await world.open({ overrides: [{ host, target: model.origin }] });
    for (const own of [`http://127.0.0.1:${world.port}`, `http://coach:${launch.launch.token}@localhost:1`]) {
      env['HTTPS_PROXY'] = own;
      const answer = await openTunnel(world.port, 'nowhere.invalid:443').catch((error: Error) => error.message);
      expect(answer).toContain("Can't reach nowhere.invalid:443: getaddrinfo");
    }
  });

  it('through another proxy ends at once, with the reason', async () => {
    const relay = await relayTo(() => world.port);
    const world = await aRecordingWorld(null, { env: { HTTPS_PROXY: `http://127.0.0.1:${relay}` } });
    const answer = await openTunnel(world.port, 'git.example.test:443').catch((error: Error) => error.message);
    expect(answer).toMatch(/^HTTP\/1\.1 502 [\s\S]*answered 508 Loop Detected/);
  });
});

/** A proxy that hands whatever it gets to another one. */
async function relayTo(port: () => number): Promise<number> {
  const server = createServer(socket => {
    const next = connect(port(), '127.0.0.1');
    socket.pipe(next).pipe(socket);
    next.on('error', () => socket.destroy());
    socket.on('error', () => next.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}
