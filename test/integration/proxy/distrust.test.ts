import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { proxyWarnings } from '../../../protocol/proxyWarnings.ts';
import { startFakeUpstream } from '../../fakes/upstream.ts';
import { aRecordingWorld, openSecure, openTunnel, type RecordingWorld } from './recordingWorld.ts';

const host = 'api.openai.com';

async function aWorld() {
  const upstream = await startFakeUpstream({});
  onTestFinished(() => upstream.dispose());
  const world = await aRecordingWorld();
  const launch = await world.open({ overrides: [{ host, target: upstream.origin }] });
  return { world, launch, token: launch.launch.token };
}

/** Checks the certificate when the handshake is over, as Node's programs do. */
async function refuseAfterHandshake(world: RecordingWorld, token: string): Promise<void> {
  const socket = await openTunnel(world.port, `${host}:443`, token);
  const secure = connectTls({ socket, servername: host, ca: [] });
  const [error] = await once(secure, 'error');
  expect(String(error)).toMatch(/certificate/);
}

/** Refuses the certificate in the handshake, as most others do. */
async function refuseInHandshake(world: RecordingWorld, token: string): Promise<void> {
  const way = ['-proxy', `127.0.0.1:${world.port}`, '-proxy_user', 'coach', '-proxy_pass', `pass:${token}`];
  const child = execFile('openssl', ['s_client', ...way, '-connect', `${host}:443`, '-verify_return_error']);
  child.stdin?.end();
  const [code] = await once(child, 'close');
  expect(code).not.toBe(0);
}

describe('a program that does not trust our certificate', () => {
  it.each([
    ['in the handshake', refuseInHandshake],
    ['after it', refuseAfterHandshake],
  ])('is named with the way out: it refuses %s', async (_when, refuse) => {
    const { world, token } = await aWorld();
    await refuse(world, token);
    await refuse(world, token);
    await expect.poll(() => world.proxy.status().distrusting).toEqual([{ host, program: 'codex', connections: 2 }]);
    expect(proxyWarnings(world.proxy.status())).toEqual([expect.stringContaining('codex does not trust')]);
    expect(world.proxy.status().uncaptured).toBe(0);
  });

  it('is told from one that leaves before it has seen it', async () => {
    const { world, launch, token } = await aWorld();
    (await openTunnel(world.port, `${host}:443`, token)).destroy();
    await launch.settled();
    expect(world.proxy.status().distrusting).toEqual([]);
  });

  it.each([
    ['speaks HTTP/2 only', { ALPNProtocols: ['h2'] }],
    ['speaks an older TLS only', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['has no cipher in common with us', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }],
  ] as const)('is told from one that %s', async (_what, options) => {
    const { world, launch, token } = await aWorld();
    const socket = await openTunnel(world.port, `${host}:443`, token);
    const ca = readFileSync(world.proxy.status().caFile);
    const ways = { ...options, ALPNProtocols: 'ALPNProtocols' in options ? [...options.ALPNProtocols] : undefined };
    const [error] = await once(connectTls({ socket, servername: host, ca, ...ways }), 'error');
    expect(String(error)).toMatch(/alert/);
    await launch.settled();
    expect(world.proxy.status().distrusting).toEqual([]);
  });

  it('is told from one that leaves in the middle of the handshake', async () => {
    const { world, launch, token } = await aWorld();
    const socket = await openTunnel(world.port, `${host}:443`, token);
    // The beginning of a hello that says that 512 bytes follow.
    socket.write(Buffer.from('1603010200', 'hex'));
    await expect.poll(() => world.proxy.openConnections()).toBe(1);
    socket.resetAndDestroy();
    await launch.settled();
    expect(world.proxy.status().distrusting).toEqual([]);
  });

  it('is told from one that has sent something and keeps connections in reserve', async () => {
    const { world, launch, token } = await aWorld();
    const used = await openSecure(world, host, token);
    used.write(`GET /v1/models HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await once(used, 'data');
    (await openSecure(world, host, token)).destroy();
    used.destroy();
    await launch.settled();
    expect(world.proxy.status().distrusting).toEqual([]);
  });

  it('is no longer named once it trusts it', async () => {
    const { world, token } = await aWorld();
    await refuseAfterHandshake(world, token);
    await expect.poll(() => world.proxy.status().distrusting).toHaveLength(1);
    const used = await openSecure(world, host, token);
    used.write(`GET /v1/models HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await once(used, 'data');
    expect(world.proxy.status().distrusting).toEqual([]);
    used.destroy();
  });
});
