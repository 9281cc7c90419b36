import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { listenOnLoopback } from '../../../../server/proxy/listening/listening.ts';

async function aTakenPort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as { port: number }).port };
}

it('takes over a port that a dying predecessor holds for a moment', async () => {
  const { server: predecessor, port } = await aTakenPort();
  const server = createServer();
  onTestFinished(() => void server.close());
  const listening = listenOnLoopback(server, port);
  setTimeout(() => predecessor.close(), 300);
  await listening;
  expect(server.address()).toMatchObject({ address: '127.0.0.1', port });
});

it('says that a port is taken when it stays so', async () => {
  const { port } = await aTakenPort();
  await expect(listenOnLoopback(createServer(), port)).rejects.toMatchObject({ code: 'proxy.portInUse' });
});

it('takes a free port that no outgoing connection can be given', async () => {
  const servers = Array.from({ length: 5 }, () => createServer());
  onTestFinished(() => servers.forEach(server => void server.close()));
  await Promise.all(servers.map(server => listenOnLoopback(server, 0)));
  const ports = servers.map(server => (server.address() as AddressInfo).port);
  expect(new Set(ports).size).toBe(5);
  for (const port of ports) expect(port).toBeLessThan(32_768);
});
