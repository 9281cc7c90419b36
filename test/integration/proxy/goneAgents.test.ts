import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Authorities, Bench, openAuthorities } from '../../conformance/bench.ts';
import { aRecordingWorld, openTunnel, readAll } from './recordingWorld.ts';

const host = 'api.openai.com';
const patience = { timeout: 5000, interval: 20 };
/** Connections that this process holds, the proxy's among them. */
const held = () => process.getActiveResourcesInfo().filter(kind => /^(?:TCP|Pipe)(?:Socket)?Wrap$/.test(kind)).length;

/** An origin that reads nothing, as a place for `api.openai.com`. */
async function aWorld() {
  const authorities: Authorities = openAuthorities();
  const bench = new Bench({ name: 'none', route: () => Promise.reject(new Error('unused')) }, authorities);
  onTestFinished(() => {
    bench.dispose();
    authorities.dispose();
  });
  const origin = await bench.origin(() => undefined, { reading: false });
  const world = await aRecordingWorld();
  const target = `https://127.0.0.1:${origin.port}`;
  const launch = await world.open({ overrides: [{ host, target, caFile: authorities.caFile }] });
  const { token } = launch.launch;
  const credentials = `Proxy-Authorization: Basic ${btoa(`coach:${token}`)}\r\n`;
  const ask = `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n${credentials}\r\n`;
  return { world, origin, launch, token, ask };
}

describe('an agent that leaves', () => {
  it.each([
    ['without a word', ''],
    ['in the middle of its first word', '\x16\x03\x01'],
  ])('%s while its model host is being reached leaves nothing behind', async (_when, hello) => {
    const { world, origin, ask } = await aWorld();
    const before = held();
    for (let count = 0; count < 20; count++) connect(world.port, '127.0.0.1').end(Buffer.from(ask + hello, 'latin1'));
    await expect.poll(() => origin.offered.length, patience).toBe(20);
    await expect.poll(held, patience).toBe(before);
    expect(world.proxy.openConnections()).toBe(0);
  });

  it('by a reset is noticed while its model host reads nothing', async () => {
    const { world, origin, launch, token } = await aWorld();
    const raw = await openTunnel(world.port, `${host}:443`, token);
    const ca = readFileSync(world.proxy.status().caFile);
    const secure = connectTls({ socket: raw, servername: host, ca, ALPNProtocols: ['http/1.1'] });
    secure.on('error', () => undefined);
    await once(secure, 'secureConnect');
    const plain = connect(world.port, '127.0.0.1');
    const { pathname } = new URL(launch.launch.baseUrl);
    const post = (path: string) =>
      `POST ${path}/responses HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nContent-Length: 20000000\r\n\r\n`;
    secure.write(post('/v1'));
    plain.write(post(pathname));
    for (const client of [secure, plain]) client.write(Buffer.alloc(20_000_000));
    await expect.poll(() => origin.wires.length, patience).toBe(2);
    await new Promise(resolve => setTimeout(resolve, 1500));
    for (const client of [raw, plain]) client.resetAndDestroy();
    await expect.poll(() => world.proxy.openConnections(), patience).toBe(0);
  });

  it('after it was refused in the middle of its request leaves nothing behind', async () => {
    const world = await aRecordingWorld();
    const before = held();
    const refuse = async () => {
      const socket = connect(world.port, '127.0.0.1');
      socket.write(
        `POST /none/v1/responses HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nContent-Length: 100000\r\n\r\n`,
      );
      socket.write(Buffer.alloc(100_000));
      return readAll(socket);
    };
    for (const answer of await Promise.all(Array.from({ length: 20 }, refuse))) {
      expect(answer).toMatch(/^HTTP\/1\.1 401 [\s\S]*Unknown launch/);
    }
    await expect.poll(held, patience).toBe(before);
  });
});
