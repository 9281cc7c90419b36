// Certificates and protocols, on both legs.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import type { TLSSocket } from 'node:tls';
import type { Bench, OriginOptions } from './bench.ts';
import type { Check, Route } from './underTest.ts';
import type { Wire } from './wire.ts';

const firstConnections = 48;
const get = 'GET /hello HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n';

async function hello(wire: Wire): Promise<void> {
  await wire.until('\r\n\r\n');
  wire.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
}

/** What a client is told when the proxy does not reach the origin: in answer to CONNECT, or to its request. */
async function refusal(bench: Bench, route: Route): Promise<string> {
  const client = await bench.secure(route).catch((error: Error) => error);
  if (client instanceof Error) return client.message;
  client.request(get);
  return client.whole();
}

async function allAtOnce(bench: Bench, route: Route): Promise<void> {
  const replies = await Promise.all(
    Array.from({ length: firstConnections }, async () => {
      const client = await bench.secure(route);
      client.request(get);
      return client.until('hello');
    }),
  );
  equal(replies.length, firstConnections);
}

const certificates: [Required<OriginOptions>['certificate'], RegExp][] = [
  ['expired', /expired/i],
  ['unknownAuthority', /self.signed|unable to (?:get|verify)|issuer|unknown/i],
  ['wrongName', /altname|hostname|not in the cert|does not match/i],
];

export const handshakeChecks: readonly Check[] = [
  {
    name: 'a client that offers HTTP/2 gets HTTP/1.1, and the origin is offered nothing else',
    async run(bench) {
      const origin = await bench.origin(hello);
      const client = await bench.client(origin, ['h2', 'http/1.1']);
      equal((client.socket as TLSSocket).alpnProtocol, 'http/1.1');
      client.request(get);
      await client.until('hello');
      for (const protocols of origin.offered) deepEqual([...protocols], ['http/1.1']);
    },
  },
  ...certificates.map(([certificate, reason]) => ({
    name: `an origin whose certificate is bad (${certificate}) is a 502 with the reason, and gets no request`,
    async run(bench: Bench) {
      const origin = await bench.origin(hello, { certificate });
      const answer = await refusal(bench, await bench.proxy.route(origin, 'usual'));
      match(answer, /^HTTP\/1\.1 502 /);
      match(answer, reason);
      ok(origin.wires.every(wire => wire.received === ''));
    },
  })),
  {
    name: 'an origin that is not there is a 502 with the reason',
    async run(bench) {
      const origin = { address: '127.0.0.1', port: 9 } as const;
      const answer = await refusal(bench, await bench.proxy.route(origin, 'usual'));
      match(answer, /^HTTP\/1\.1 502 /);
      match(answer, /ECONNREFUSED/);
    },
  },
  {
    name: `${firstConnections} first connections to a new host at once all work, and again after a restart`,
    async run(bench) {
      const origin = await bench.origin(hello);
      await allAtOnce(bench, await bench.proxy.route(origin, 'new'));
      if (bench.proxy.restart === undefined) return;
      await bench.proxy.restart();
      await allAtOnce(bench, await bench.proxy.route(origin, 'usual'));
    },
  },
];
