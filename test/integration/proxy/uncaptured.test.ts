import { once } from 'node:events';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RecorderEvent } from '../../../server/traces/recorder/recorderMessages.ts';
import { type Authorities, Bench, openAuthorities } from '../../conformance/bench.ts';
import { Wire } from '../../conformance/wire.ts';
import { aRecordingWorld, openSecure } from './recordingWorld.ts';

const host = 'api.openai.com';
const completed = {
  type: 'response.completed',
  response: { id: 'resp_1', model: 'gpt-5.5', output: [], usage: { input_tokens: 3, output_tokens: 4 } },
};
const reply = `data: ${JSON.stringify(completed)}\n\n`;
const ok = `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: ${reply.length}\r\n\r\n${reply}`;

/** An intercepted connection to an origin whose bytes are ours. */
async function aConnection(serve: (wire: Wire) => void | Promise<void>) {
  const authorities: Authorities = openAuthorities();
  const bench = new Bench({ name: 'none', route: () => Promise.reject(new Error('unused')) }, authorities);
  onTestFinished(() => {
    bench.dispose();
    authorities.dispose();
  });
  const origin = await bench.origin(serve);
  const world = await aRecordingWorld();
  const warnings: RecorderEvent[] = [];
  world.recorder.onEvent(event => {
    if (event.kind === 'uncaptured') warnings.push(event);
  });
  const target = `https://127.0.0.1:${origin.port}`;
  const launch = await world.open({ overrides: [{ host, target, caFile: authorities.caFile }] });
  return { world, launch, origin, warnings, client: await openSecure(world, host, launch.launch.token) };
}

describe('bytes to a model host that are no exchange', () => {
  it.each([
    ['words', 'this is not HTTP\r\n\r\n'],
    ['noise', Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) & 255)).toString('latin1')],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    [
      'a request with two lengths',
      `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    ],
    ['a head without end', `GET / HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(300_000)}`],
    ['half a request', `POST /v1/responses HTTP/1.1\r\nHost: ${host}\r\n`],
  ])('pass as they are and are warned of: %s', async (_what, bytes) => {
    const { world, launch, origin, warnings, client } = await aConnection(wire => {
      wire.socket.on('data', (chunk: Buffer) => wire.write(chunk));
    });
    const echo: Buffer[] = [];
    client.on('data', (chunk: Buffer) => echo.push(chunk));
    client.write(bytes, 'latin1');
    while (Buffer.concat(echo).length < bytes.length) await once(client, 'data');
    expect(Buffer.concat(echo).toString('latin1')).toBe(bytes);
    expect(origin.wires[0]?.received).toBe(bytes);
    client.destroy();
    await launch.settled();
    expect(warnings).toEqual([{ kind: 'uncaptured', host, reason: expect.stringMatching(/\w/) }]);
    expect(world.proxy.status()).toMatchObject({ uncaptured: 1, exchanges: 0 });
  });

  it('are not warned of when there were none', async () => {
    const { world, launch, client } = await aConnection(() => undefined);
    client.destroy();
    await launch.settled();
    expect(world.proxy.status().uncaptured).toBe(0);
  });
});

describe('the record of what passed', () => {
  const body = { model: 'gpt-5.5', stream: true, input: [{ role: 'user', content: 'SAY ünïcödé “hello”' }] };
  const json = Buffer.from(JSON.stringify(body));

  it.each([
    ['as it is', null, json],
    ['in gzip', 'gzip', gzipSync(json)],
    ['in brotli', 'br', brotliCompressSync(json)],
    ['in zstd', 'zstd', zstdCompressSync(json)],
  ] as const)(
    'has the request and the reply that were on the wire: %s, whole and in chunks',
    async (_how, coding, sent) => {
      const seen: string[] = [];
      const { world, launch, client } = await aConnection(async wire => {
        for (let count = 1; count <= 2; count++) {
          await wire.until(sent.toString('latin1'));
          await wire.until(count === 1 ? sent.toString('latin1') : '0\r\n\r\n');
          seen.push(wire.received);
          wire.forget();
          wire.write(ok);
        }
      });
      const answers = new Wire(client);
      const head = `POST /v1/responses HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n${coding === null ? '' : `Content-Encoding: ${coding}\r\n`}`;
      client.write(`${head}Content-Length: ${sent.length}\r\n\r\n`);
      client.write(sent);
      await answers.until(reply);
      answers.forget();
      client.write(`${head}Transfer-Encoding: chunked\r\n\r\n${sent.length.toString(16)}\r\n`);
      client.write(sent);
      client.write('\r\n0\r\n\r\n');
      await answers.until(reply);
      client.destroy();
      await launch.settled();
      expect(seen).toHaveLength(2);
      const [session = ''] = launch.sessionIds();
      const rows = [...world.store.wholeExchanges(session)];
      expect(rows.map(({ request }) => request)).toEqual([body, body]);
      for (const { exchange, response } of rows) {
        expect(exchange).toMatchObject({ status: 200, url: `https://${host}/v1/responses`, model: 'gpt-5.5' });
        expect(exchange.usage).toMatchObject({ inputTokens: 3, outputTokens: 4 });
        expect(response).toEqual(completed.response);
      }
    },
  );
});
