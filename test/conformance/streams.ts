// Streams and broken connections: nothing is held back, nobody is left waiting, nothing looks whole that is not.
import { equal, ok } from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { Bench, Origin } from './bench.ts';
import type { Check } from './underTest.ts';
import type { Wire } from './wire.ts';

const get = 'GET /stream HTTP/1.1\r\nHost: {host}\r\n\r\n';
const streamHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
/** Far more than it takes, and far less than for ever; the exact time is measured elsewhere. */
const abortMs = 5000;
const stalledBytes = 50_000_000;
const stalledLimitBytes = 12_000_000;

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** A client that has seen the first event of a stream whose next one will not come by itself. */
async function streaming(bench: Bench): Promise<{ client: Wire; origin: Origin; there: Wire }> {
  const origin = await bench.origin(async wire => {
    await wire.until('\r\n\r\n');
    wire.write(streamHead + chunk('data: first\n\n'));
  });
  const client = await bench.client(origin);
  client.request(get);
  await client.until('data: first');
  const [there] = origin.wires;
  if (there === undefined) throw new Error('The origin saw no connection.');
  return { client, origin, there };
}

/** Bytes that a peer has taken off a writer which never stops by itself, once no more are taken. */
async function takenOff(socket: Socket): Promise<number> {
  const block = Buffer.alloc(64 * 1024, 'x');
  let handedIn = 0;
  const send = () => {
    while (handedIn < stalledBytes) {
      handedIn += block.length;
      if (!socket.write(block)) return void socket.once('drain', send);
    }
  };
  send();
  for (let last = -1, still = 0; still < 10; ) {
    await new Promise(resolve => setTimeout(resolve, 50));
    const taken = handedIn - socket.writableLength;
    still = taken === last ? still + 1 : 0;
    last = taken;
  }
  return handedIn - socket.writableLength;
}

export const streamChecks: readonly Check[] = [
  {
    name: 'each event of a stream arrives before the next one is sent',
    async run(bench) {
      const { client, there } = await streaming(bench);
      for (const word of ['second', 'third', 'fourth', 'fifth']) {
        there.write(chunk(`data: ${word}\n\n`));
        await client.until(`data: ${word}`);
      }
      there.write('0\r\n\r\n');
      await client.until('0\r\n\r\n');
    },
  },
  {
    name: 'a client that is gone ends the origin’s work in the middle of a stream',
    async run(bench) {
      const { client, there } = await streaming(bench);
      client.destroy();
      await there.gone(abortMs);
    },
  },
  {
    name: 'a client that is gone ends the origin’s work while the model is silent',
    async run(bench) {
      const origin = await bench.origin(() => undefined);
      const client = await bench.client(origin);
      const sent = client.request(get);
      while (origin.wires[0]?.received !== sent) await new Promise(resolve => setTimeout(resolve, 5));
      client.destroy();
      await origin.wires[0].gone(abortMs);
    },
  },
  {
    name: 'a reader that has stopped stops the origin: at most 12 MB of 50 are pulled',
    async run(bench) {
      let taken = 0;
      let done = () => {};
      const measured = new Promise<void>(resolve => {
        done = resolve;
      });
      const origin = await bench.origin(async wire => {
        await wire.until('\r\n\r\n');
        wire.write(`HTTP/1.1 200 OK\r\nContent-Length: ${stalledBytes}\r\n\r\n`);
        taken = await takenOff(wire.socket);
        done();
      });
      const client = await bench.client(origin, ['http/1.1'], false);
      client.request(get);
      await measured;
      ok(taken > 0 && taken <= stalledLimitBytes, `pulled ${taken} bytes`);
    },
  },
  {
    name: 'an origin that has stopped reading stops the client: at most 12 MB of 50 are taken',
    async run(bench) {
      const origin = await bench.origin(() => undefined, { reading: false });
      const client = await bench.client(origin);
      client.request(`POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: ${stalledBytes}\r\n\r\n`);
      const taken = await takenOff(client.socket);
      ok(taken > 0 && taken <= stalledLimitBytes, `took ${taken} bytes`);
    },
  },
  {
    name: 'a stream that the origin resets ends without the mark of a whole reply',
    async run(bench) {
      const { client, origin } = await streaming(bench);
      origin.reset();
      await client.whole();
      equal(client.received, streamHead + chunk('data: first\n\n'));
    },
  },
  {
    name: 'a reply that the origin cuts short stays short',
    async run(bench) {
      const cut = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this';
      const origin = await bench.origin(async wire => {
        await wire.until('\r\n\r\n');
        wire.end(cut);
      });
      const client = await bench.client(origin);
      client.request(get);
      equal(await client.whole(), cut);
    },
  },
  {
    name: 'an origin that ends right after a long reply loses none of it',
    async run(bench) {
      const body = 'x'.repeat(2_000_000);
      const reply = `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${body}`;
      const origin = await bench.origin(async wire => {
        await wire.until('\r\n\r\n');
        wire.end(reply);
      });
      const client = await bench.client(origin);
      client.request(get);
      ok((await client.whole()).endsWith(`\r\n\r\n${body}`));
    },
  },
];
