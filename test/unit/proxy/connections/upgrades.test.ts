import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { BudgetGuard } from '../../../../server/proxy/budget/budget.ts';
import { gated } from '../../../../server/proxy/budget/budgetGate.ts';
import { RequestRewriter } from '../../../../server/proxy/connections/requestRewriter.ts';
import { splice } from '../../../../server/proxy/connections/splice.ts';

const tap = { bytes: () => undefined, close: () => undefined };
const upgrade = 'GET /v1/responses HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const refusal = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n';
const unlimited = { limits: () => true, limitsSessions: () => false, refusal: () => null } as unknown as BudgetGuard;

/** One side of a connection, as the other end sees it: what comes in is pushed, what goes out is kept. */
function aSide() {
  const written: Buffer[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk);
      done();
    },
  });
  stream.on('error', () => undefined);
  const closed = new Promise<void>(resolve => stream.once('close', () => resolve()));
  return { stream, closed, text: () => Buffer.concat(written).toString('latin1') };
}

const ways = {
  'whose requests are rewritten': (client: Duplex, upstream: Duplex) =>
    splice(client, upstream, tap, new RequestRewriter(head => head)),
  'with a budget': (client: Duplex, upstream: Duplex) =>
    splice(client, gated(upstream, { host: 'x', launch: null }, unlimited), tap, null),
};

describe.each(Object.entries(ways))('what waits for the answer to an upgrade, on a connection %s,', (_way, open) => {
  it('closes the connection where it is no request, and nothing but that', async () => {
    const [client, upstream] = [aSide(), aSide()];
    open(client.stream, upstream.stream);
    client.stream.push(upgrade);
    await expect.poll(upstream.text).toContain('Upgrade: websocket');
    client.stream.push('no request at all\r\n\r\n');
    await new Promise(resolve => setImmediate(resolve));
    upstream.stream.push(refusal);
    await client.closed;
    expect(upstream.stream.destroyed).toBe(true);
    expect(upstream.text()).not.toContain('no request');
  });

  it('is passed on as it came where it is a request', async () => {
    const [client, upstream] = [aSide(), aSide()];
    open(client.stream, upstream.stream);
    client.stream.push(upgrade);
    await expect.poll(upstream.text).toContain('Upgrade: websocket');
    const next = 'GET /next HTTP/1.1\r\nHost: x\r\n\r\n';
    client.stream.push(next);
    await new Promise(resolve => setImmediate(resolve));
    expect(upstream.text()).not.toContain('/next');
    upstream.stream.push(refusal);
    await expect.poll(upstream.text).toContain(next);
    client.stream.destroy();
  });

  it('is not kept without end', async () => {
    const [client, upstream] = [aSide(), aSide()];
    open(client.stream, upstream.stream);
    client.stream.push(upgrade);
    for (let megabyte = 0; megabyte < 6; megabyte++) client.stream.push(Buffer.alloc(1024 * 1024, 'x'));
    await client.closed;
  });

  it('is only what follows that request, whose own body goes on as it comes', async () => {
    const [client, upstream] = [aSide(), aSide()];
    open(client.stream, upstream.stream);
    const ask = 'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n';
    client.stream.push(`${ask}Content-Length: 5\r\n\r\n`);
    await expect.poll(upstream.text).toContain('h2c');
    client.stream.push('body.');
    await expect.poll(upstream.text).toMatch(/body\.$/);
    client.stream.push('GET /next HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise(resolve => setImmediate(resolve));
    expect(upstream.text()).toMatch(/body\.$/);
    upstream.stream.push('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await expect.poll(upstream.text).toContain('GET /next');
    client.stream.destroy();
  });

  it('is of the new protocol also where the answer comes before that request is complete', async () => {
    const [client, upstream] = [aSide(), aSide()];
    open(client.stream, upstream.stream);
    const ask = 'POST /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: other\r\nContent-Length: 5\r\n\r\n';
    client.stream.push(ask);
    await expect.poll(upstream.text).toContain('other');
    upstream.stream.push('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    await expect.poll(client.text).toContain('101');
    client.stream.push('body.\0no HTTP');
    client.stream.push('\0nor this');
    await expect.poll(upstream.text).toMatch(/body\.\0no HTTP\0nor this$/);
    client.stream.destroy();
  });

  it('is not waited for where the answer has no end', async () => {
    const [client, upstream] = [aSide(), aSide()];
    open(client.stream, upstream.stream);
    client.stream.push(upgrade);
    await expect.poll(upstream.text).toContain('Upgrade: websocket');
    upstream.stream.push('HTTP/1.1 101 Switching Protocols\r\n');
    for (let piece = 0; piece < 5; piece++) upstream.stream.push(`X-${piece}: ${'x'.repeat(64 * 1024)}\r\n`);
    await client.closed;
    expect(upstream.stream.destroyed).toBe(true);
  });
});
