import { duplexPair } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import * as z from 'zod';
import { api, event, request } from '../../../protocol/api.ts';
import { EventBus } from '../../../server/base/bus.ts';
import { serveClient } from '../../../server/surfaces/clients.ts';
import { domain } from '../../../server/surfaces/domain.ts';

const sums = api('sums', {
  add: request({ summary: 'Adds.', params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
  changed: event(z.number()),
});

/** A server behind a pipe whose only domain is loaded with its first request. */
function aServer() {
  const [ours, theirs] = duplexPair();
  const bus = new EventBus();
  let loaded = 0;
  const load = async () => {
    loaded += 1;
    return domain(sums, { add: ({ a, b }) => a + b });
  };
  const status = {
    ...{ version: '0.0.0', pid: 1, home: '/', startedAt: '2026-11-21T00:00:00.000Z', clients: 1, runningTrials: 0 },
    ...{ log: '/log', outerProxy: null, settings: {} },
  };
  const taskFiles = () => Promise.reject(new Error('Asked for by no editor.'));
  const ended = Promise.withResolvers<void>();
  const deps = { domains: { sums: load }, bus, token: 'right', greet: () => status, taskFiles };
  serveClient(ours, deps, ended.resolve);
  onTestFinished(() => {
    ours.destroy();
    theirs.destroy();
  });
  return { stream: theirs, bus, loads: () => loaded, ended: ended.promise };
}

/** A program that speaks JSON-RPC, and is no editor. */
function aClient() {
  const server = aServer();
  const connection = createMessageConnection(
    new StreamMessageReader(server.stream),
    new StreamMessageWriter(server.stream),
  );
  connection.listen();
  onTestFinished(() => connection.dispose());
  const hello = (token: string) =>
    connection.sendRequest('coach/server/hello', { token, version: '0.0.0', client: 'test' });
  return { ...server, connection, hello };
}

it('answers a script that never said `initialize`, and loads a domain with its first request', async () => {
  const { connection, hello, loads } = aClient();
  expect(await hello('right')).toMatchObject({ home: '/' });
  expect(loads()).toBe(0);
  expect(await connection.sendRequest('coach/sums/add', { a: 2, b: 3 })).toBe(5);
  expect(loads()).toBe(1);
});

it('refuses everything before the token, and a wrong token', async () => {
  const { connection, hello, loads } = aClient();
  const denied = { data: { code: 'server.denied' } };
  await expect(connection.sendRequest('coach/sums/add', { a: 2, b: 3 })).rejects.toMatchObject(denied);
  await expect(hello('wrong')).rejects.toMatchObject(denied);
  await expect(connection.sendRequest('coach/sums/add', { a: 2, b: 3 })).rejects.toMatchObject(denied);
  expect(loads()).toBe(0);
});

it.each(['coach/sums/subtract', 'coach/sums/changed', 'coach/sums/constructor', 'coach/toString/add', 'add'])(
  'says of %s that there is no such request',
  async method => {
    const { connection, hello } = aClient();
    await hello('right');
    await expect(connection.sendRequest(method, {})).rejects.toMatchObject({ code: -32601 });
  },
);

it('says which parameter is wrong', async () => {
  const { connection, hello } = aClient();
  await hello('right');
  const wrong = connection.sendRequest('coach/sums/add', { a: 2, b: 'three' });
  await expect(wrong).rejects.toMatchObject({ code: -32602, message: expect.stringContaining('b:') });
});

it('tells of events once the token was shown', async () => {
  const { connection, hello, bus } = aClient();
  const heard: unknown[] = [];
  connection.onNotification('coach/sums/changed', value => void heard.push(value));
  await hello('wrong').catch(() => undefined);
  bus.publish(sums, 'changed', 1);
  await hello('right');
  bus.publish(sums, 'changed', 2);
  await connection.sendRequest('coach/sums/add', { a: 0, b: 0 });
  expect(heard).toEqual([2]);
});

it('closes on whoever speaks something else', async () => {
  const { stream, ended } = aServer();
  stream.write('Content-Length: twelve\r\n\r\nhello there!');
  await expect(ended).resolves.toBeUndefined();
});
