// WebSockets: the origin decides, and frames pass as they are.
import { equal } from 'node:assert/strict';
import { deflateRawSync } from 'node:zlib';
import type { Bench } from './bench.ts';
import type { Check } from './underTest.ts';
import type { Wire } from './wire.ts';

const upgrade =
  'GET /v1/responses HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: one, two\r\n' +
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nOpenAI-Beta: responses_websockets\r\n\r\n';
const switching =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: two\r\n' +
  'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\nx-codex-turn-state: kept\r\n\r\n';

/** A frame (RFC 6455 §5.2) of at most 125 bytes; masked, as clients must, with a key that changes every byte. */
function frame(first: number, payload: Buffer, masked: boolean): string {
  const key = Buffer.from([0x5a, 0xa5, 0x3c, 0xc3]);
  const bytes = masked ? payload.map((byte, index) => byte ^ (key[index & 3] ?? 0)) : payload;
  const length = Buffer.from([first, payload.length | (masked ? 0x80 : 0)]);
  return Buffer.concat([length, masked ? key : Buffer.alloc(0), bytes]).toString('latin1');
}

const text = (words: string, masked: boolean) => frame(0x81, Buffer.from(words), masked);
const close = (payload: Buffer, masked: boolean) => frame(0x88, payload, masked);
const code4001 = Buffer.concat([Buffer.from([0x0f, 0xa1]), Buffer.from('policy')]);

/** Both ends of an upgraded connection, and the request that asked for it. */
async function opened(bench: Bench, first = ''): Promise<{ client: Wire; there: Wire; sent: string }> {
  const origin = await bench.origin(async wire => {
    await wire.until('\r\n\r\n');
    wire.write(switching + first);
  });
  const client = await bench.client(origin);
  const sent = client.request(upgrade);
  await client.until('\r\n\r\n');
  const [there] = origin.wires;
  if (there === undefined) throw new Error('The origin saw no connection.');
  return { client, there, sent };
}

async function bothWays(bench: Bench, make: (masked: boolean) => string): Promise<void> {
  const { client, there, sent } = await opened(bench);
  client.write(make(true));
  await there.until(make(true));
  equal(there.received, sent + make(true));
  there.write(make(false));
  await client.until(make(false));
  equal(client.received, switching + make(false));
}

const refusals: Check[] = [
  [401, '{"error":{"message":"Incorrect API key provided"}}'],
  [426, 'Upgrade Required'],
  [200, 'no WebSocket here'],
].map(([status, body]) => ({
  name: `an upgrade that the origin answers with ${status} is answered so to the client`,
  async run(bench: Bench) {
    const reply = `HTTP/1.1 ${status} Own Words\r\nX-Reason: mine\r\nContent-Length: ${String(body).length}\r\n\r\n${body}`;
    const origin = await bench.origin(async wire => {
      await wire.until('\r\n\r\n');
      wire.write(reply);
    });
    const client = await bench.client(origin);
    client.request(upgrade);
    equal(await client.until(String(body)), reply);
  },
}));

export const webSocketChecks: readonly Check[] = [
  ...refusals,
  {
    name: 'nothing is answered to an upgrade before the origin has',
    async run(bench) {
      let answer = () => {};
      const asked = new Promise<void>(resolve => {
        answer = resolve;
      });
      const origin = await bench.origin(async wire => {
        await wire.until('\r\n\r\n');
        answer();
      });
      const client = await bench.client(origin);
      client.request(upgrade);
      await asked;
      await new Promise(resolve => setTimeout(resolve, 100));
      equal(client.received, '');
      origin.wires[0]?.write(switching);
      equal(await client.until('\r\n\r\n'), switching);
    },
  },
  {
    name: 'headers of an upgrade pass both ways: subprotocol, extensions, the provider’s own',
    async run(bench) {
      const { client, there, sent } = await opened(bench);
      equal(client.received, switching);
      equal(there.received, sent);
    },
  },
  { name: 'text frames pass both ways', run: bench => bothWays(bench, masked => text('{"type":"x"}', masked)) },
  {
    name: 'compressed frames pass as they are',
    run: bench => {
      const deflated = deflateRawSync(Buffer.from('{"type":"response.create"}'), { finishFlush: 2 }).subarray(0, -4);
      return bothWays(bench, masked => frame(0xc1, deflated, masked));
    },
  },
  {
    name: 'pings, pongs and fragments pass as they are',
    run: bench =>
      bothWays(
        bench,
        masked =>
          frame(0x89, Buffer.from('ping'), masked) +
          frame(0x01, Buffer.from('frag'), masked) +
          frame(0x8a, Buffer.from('pong'), masked) +
          frame(0x80, Buffer.from('ment'), masked),
      ),
  },
  {
    name: 'a close without code (1005) passes both ways',
    run: bench => bothWays(bench, masked => close(Buffer.alloc(0), masked)),
  },
  {
    name: 'a close with code 4001 and its reason pass both ways',
    run: bench => bothWays(bench, masked => close(code4001, masked)),
  },
  {
    name: 'frames right behind the 101 are not lost',
    async run(bench) {
      const first = text('at once', false);
      const { client } = await opened(bench, first);
      await client.until(first);
      equal(client.received, switching + first);
    },
  },
  {
    name: 'hints before the 101, and a 101 in pieces of one byte, change nothing',
    async run(bench) {
      const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
      const origin = await bench.origin(async wire => {
        await wire.until('\r\n\r\n');
        for (const byte of hints + switching) {
          wire.write(byte);
          await new Promise(resolve => setImmediate(resolve));
        }
      });
      const client = await bench.client(origin);
      const sent = client.request(upgrade);
      equal(await client.until(switching), hints + switching);
      client.write(text('after', true));
      await origin.wires[0]?.until(text('after', true));
      equal(origin.wires[0]?.received, sent + text('after', true));
    },
  },
  {
    name: 'a client that is gone ends the origin’s WebSocket',
    async run(bench) {
      const { client, there } = await opened(bench);
      client.destroy();
      await there.gone();
    },
  },
];
