import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { splice } from '../../../../server/proxy/connections/splice.ts';

const tap = { bytes: () => undefined, close: () => undefined };
const turn = () => new Promise(resolve => setImmediate(resolve));

/** One side of a connection; what is written to it counts as gone when it is let go. */
function aSide() {
  let letGo = (_error?: Error) => {};
  let writtenBytes = 0;
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      writtenBytes += chunk.length;
      letGo = done;
    },
  });
  stream.on('error', () => undefined);
  const letAllGo = async () => {
    for (let waiting = true; waiting; waiting = stream.writableLength > 0) {
      letGo();
      await turn();
    }
  };
  return { stream, letAllGo, fail: (error: Error) => letGo(error), written: () => writtenBytes };
}

function aConnection() {
  const [client, upstream, wire] = [aSide(), aSide(), aSide()];
  splice(client.stream, upstream.stream, tap, null, wire.stream);
  wire.stream.once('close', () => client.stream.destroy());
  return { client, upstream, wire };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function seconds(count: number) {
  for (let second = 0; second < count; second++) {
    vi.advanceTimersByTime(1000);
    await turn();
  }
}

describe('an agent whose upstream takes nothing', () => {
  it('ends the upstream when it ends, soon after its last bytes', async () => {
    const { client, upstream } = aConnection();
    for (let sent = 0; sent < 4; sent++) client.stream.push(Buffer.alloc(64 * 1024));
    client.stream.push(null);
    await turn();
    expect(upstream.stream.destroyed).toBe(false);
    await seconds(5);
    expect(upstream.stream.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends the upstream when it resets its connection, with more behind it than is read', async () => {
    const { client, upstream, wire } = aConnection();
    for (let sent = 0; sent < 100; sent++) client.stream.push(Buffer.alloc(64 * 1024));
    await seconds(20);
    expect(upstream.stream.destroyed).toBe(false);
    wire.fail(new Error('ECONNRESET'));
    await turn();
    expect(upstream.stream.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is read no further than some hundred kilobytes, and on once there is room again', async () => {
    const { client, upstream, wire } = aConnection();
    for (let sent = 0; sent < 100; sent++) client.stream.push(Buffer.alloc(64 * 1024));
    await seconds(60);
    expect(upstream.stream.writableLength).toBeLessThanOrEqual(512 * 1024);
    expect(wire.written()).toBe(0);
    for (let piece = 0; piece < 100; piece++) await upstream.letAllGo();
    expect(upstream.written()).toBe(100 * 64 * 1024);
    await seconds(2);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an agent whose upstream has closed after its reply', () => {
  async function replied() {
    const { client, upstream } = aConnection();
    upstream.stream.push('the reply');
    upstream.stream.push(null);
    upstream.stream.end();
    await turn();
    upstream.stream.destroy();
    await turn();
    return client;
  }

  it('may take its time to read it', async () => {
    const client = await replied();
    await seconds(60);
    expect(client.stream.destroyed).toBe(false);
    await client.letAllGo();
    expect(client.stream.writableFinished).toBe(true);
  });

  it('is closed when it stays without need', async () => {
    const client = await replied();
    await client.letAllGo();
    await seconds(4);
    expect(client.stream.destroyed).toBe(false);
    await seconds(1);
    expect(client.stream.destroyed).toBe(true);
  });
});
