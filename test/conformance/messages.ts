// Requests and replies: what goes in comes out, byte for byte.
import { deepEqual, equal, match } from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { Bench } from './bench.ts';
import type { Check } from './underTest.ts';
import type { Wire } from './wire.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Sends one request to an origin that answers as told once it has all of it, and compares both sides. */
async function exchange(bench: Bench, request: string, reply: string): Promise<void> {
  const origin = await bench.origin(async wire => {
    await wire.until((request.split('{host}')[1] ?? '').slice(-20));
    wire.write(reply);
  });
  const client = await bench.client(origin);
  const sent = client.request(request);
  await client.until(reply.slice(-20));
  equal(client.received, reply);
  equal(origin.wires[0]?.received, sent);
}

/** Answers each request without a body with its path. */
async function echoPaths(wire: Wire): Promise<void> {
  for (let done = 0; ; ) {
    await wire.until(new RegExp(`^(?:[\\s\\S]*?\\r\\n\\r\\n){${done + 1}}`), 60_000);
    const path = wire.received.split('\r\n\r\n')[done++]?.split(' ')[1] ?? '';
    wire.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
  }
}

const heads: Check[] = [
  {
    name: 'request headers keep their case, order, doubles and blanks',
    run: bench =>
      exchange(
        bench,
        'GET /v1/models?b=2&a=%20 HTTP/1.1\r\nhOsT: {host}\r\nX-Dup: 1\r\nx-dup: 2\r\nX-DUP:3\r\nX-Blank:  a  b \r\nX-Empty:\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n',
        ok,
      ),
  },
  {
    name: 'reply headers keep their case, order, doubles, blanks and reason',
    run: bench =>
      exchange(
        bench,
        'GET / HTTP/1.1\r\nHost: {host}\r\n\r\n',
        'HTTP/1.1 200 Fine By Me\r\nSet-Cookie: b=2\r\nset-cookie: a=1\r\nX-Dup: 1\r\nX-Other: x\r\nx-dup:  2 \r\nCONTENT-LENGTH: 2\r\n\r\nok',
      ),
  },
  {
    name: 'a body with Content-Length passes',
    run: bench => exchange(bench, 'POST /p HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9\r\n\r\n{"a":"b"}', ok),
  },
  {
    name: 'chunks, their extensions and trailers pass, in requests and replies',
    run: bench =>
      exchange(
        bench,
        'POST /p HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Took\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-Took: 12\r\nX-Took: 13\r\n\r\n',
      ),
  },
  {
    name: 'a body of 5 MB passes unchanged in both directions',
    async run(bench) {
      const body = randomBytes(5_000_000).toString('latin1');
      await exchange(
        bench,
        `POST /p HTTP/1.1\r\nHost: {host}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nX-Sum: ${createHash('sha256').update(body).digest('hex')}\r\n\r\n${body}`,
      );
    },
  },
  {
    name: 'a Host without port goes where CONNECT said',
    async run(bench) {
      const origin = await bench.origin(echoPaths);
      const route = await bench.proxy.route(origin, 'usual');
      const client = await bench.secure(route);
      client.request(`GET /here HTTP/1.1\r\nHost: ${route.host}\r\n\r\n`);
      match(await client.until('/here'), /^HTTP\/1\.1 200 OK\r\n/);
    },
  },
  {
    name: 'HTTP/1.0 works: a reply without length lasts until the end',
    async run(bench) {
      const origin = await bench.origin(async wire => {
        await wire.until('\r\n\r\n');
        wire.end('HTTP/1.0 200 OK\r\nX-A: b\r\n\r\nall of it');
      });
      const client = await bench.client(origin);
      const sent = client.request('GET / HTTP/1.0\r\nHost: {host}\r\n\r\n');
      equal(await client.whole(), 'HTTP/1.0 200 OK\r\nX-A: b\r\n\r\nall of it');
      equal(origin.wires[0]?.received, sent);
    },
  },
];

const connections: Check[] = [
  {
    name: 'a connection serves several requests, and the origin sees one connection',
    async run(bench) {
      const origin = await bench.origin(echoPaths);
      const client = await bench.client(origin);
      for (const path of ['/1', '/2', '/3', '/4', '/5']) {
        client.request(`GET ${path} HTTP/1.1\r\nHost: {host}\r\n\r\n`);
        await client.until(path);
      }
      equal(origin.wires.length, 1);
    },
  },
  {
    name: 'pipelined requests are answered in their order',
    async run(bench) {
      const client = await bench.client(await bench.origin(echoPaths));
      client.request(['/a', '/b', '/c'].map(path => `GET ${path} HTTP/1.1\r\nHost: {host}\r\n\r\n`).join(''));
      await client.until('/c');
      deepEqual(client.received.match(/\/[abc]/g), ['/a', '/b', '/c']);
    },
  },
  {
    name: 'replies without body (HEAD, 204, 304) do not hold up the next',
    async run(bench) {
      const replies = [
        '200 OK\r\nContent-Length: 99',
        '204 No Content',
        '304 Not Modified\r\nContent-Length: 99',
        '200 OK\r\nContent-Length: 4',
      ];
      const origin = await bench.origin(async wire => {
        for (const [index, reply] of replies.entries()) {
          await wire.until(`/${index} `);
          wire.write(`HTTP/1.1 ${reply}\r\n\r\n${index === 3 ? 'done' : ''}`);
        }
      });
      const client = await bench.client(origin);
      for (const [index, method] of ['HEAD', 'GET', 'GET', 'GET'].entries()) {
        client.request(`${method} /${index} HTTP/1.1\r\nHost: {host}\r\n\r\n`);
        await client.until(new RegExp(`^(?:[\\s\\S]*?\\r\\n\\r\\n){${index + 1}}`));
      }
      await client.until('done');
    },
  },
  {
    name: 'requests and CONNECT may come in pieces of one byte, with nothing between them',
    async run(bench) {
      const origin = await bench.origin(echoPaths);
      const route = await bench.proxy.route(origin, 'usual');
      (await bench.tunnel(route, true)).destroy();
      const client = await bench.secure(route);
      const request = `GET /bytewise HTTP/1.1\r\nHost: ${client.host}\r\nX-A: b\r\n\r\n`;
      for (const byte of request) {
        client.write('');
        client.write(byte);
        await new Promise(resolve => setImmediate(resolve));
      }
      await client.until('/bytewise');
      match(origin.wires.at(-1)?.received ?? '', /^GET \/bytewise HTTP\/1\.1\r\n[\s\S]*\r\nX-A: b\r\n/i);
    },
  },
  {
    name: 'a reply may come in pieces of one byte',
    async run(bench) {
      const reply = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
      const origin = await bench.origin(async wire => {
        await wire.until('\r\n\r\n');
        for (const byte of reply) {
          wire.write(byte);
          await new Promise(resolve => setImmediate(resolve));
        }
      });
      const client = await bench.client(origin);
      client.request('GET / HTTP/1.1\r\nHost: {host}\r\n\r\n');
      match(await client.until('0\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n2\r\nok\r\n0\r\n\r\n$/);
    },
  },
  {
    name: 'an origin on IPv6 is reached',
    async run(bench) {
      const client = await bench.client(await bench.origin(echoPaths, { address: '::1' }));
      client.request('GET /six HTTP/1.1\r\nHost: {host}\r\n\r\n');
      await client.until('/six');
    },
  },
];

const interim: Check[] = [
  {
    name: '100 Continue comes from the origin, before the body is sent',
    async run(bench) {
      const origin = await bench.origin(async wire => {
        await wire.until('\r\n\r\n');
        equal(wire.received.includes('body'), false);
        wire.write('HTTP/1.1 100 Continue\r\nX-From: origin\r\n\r\n');
        await wire.until('body');
        wire.write(ok);
      });
      const client = await bench.client(origin);
      client.request('POST / HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
      equal(await client.until('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\nX-From: origin\r\n\r\n');
      client.write('body');
      await client.until('\r\n\r\nok');
    },
  },
  {
    name: '103 Early Hints reaches the client before the reply exists',
    async run(bench) {
      let release = () => {};
      const origin = await bench.origin(async wire => {
        await wire.until('\r\n\r\n');
        wire.write('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n');
        release = () => wire.write(ok);
      });
      const client = await bench.client(origin);
      client.request('GET / HTTP/1.1\r\nHost: {host}\r\n\r\n');
      equal(await client.until('\r\n\r\n'), 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n');
      release();
      await client.until(ok);
    },
  },
  ...[401, 413, 429].map(status => ({
    name: `an early ${status} reaches a client that is still sending 500 KB`,
    async run(bench: Bench) {
      const reply = `HTTP/1.1 ${status} Early\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!`;
      // The origin never reads on: who waits for the request to be through waits for ever.
      const origin = await bench.origin(
        wire => {
          wire.socket.once('readable', () => wire.end(reply));
        },
        { reading: false },
      );
      const client = await bench.client(origin);
      client.request(`POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 500000\r\n\r\n${'x'.repeat(500_000)}`);
      match(await client.until('no!'), new RegExp(`^HTTP/1\\.1 ${status} `));
    },
  })),
];

export const messageChecks: readonly Check[] = [...heads, ...connections, ...interim];
