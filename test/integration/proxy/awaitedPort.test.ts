import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Log, silentLog } from '../../../server/base/log.ts';
import { createProxy } from '../../../server/proxy/captureProxy.ts';
import { aRecordingWorld, handlersOf, type RecordingWorld } from './recordingWorld.ts';

const never = new AbortController().signal;

async function listen(port: number) {
  const server = createServer(socket => socket.destroy());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return server;
}

/** The next proxy of a home whose agents still send to a port that another program has taken meanwhile. */
async function aProxyWhosePortIsTaken() {
  const { directory, recorder, store, port, proxy, open } = await aRecordingWorld();
  const { launch } = await open({ kept: true });
  await proxy.dispose();
  const thief = await listen(port);
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: words => void warnings.push(words) };
  const launchFile = join(directory, 'launches.json');
  const next = () => createProxy({ caDirectory: join(directory, 'ca'), launchFile, recorder, store, log, env: {} });
  const second = next();
  onTestFinished(() => second.dispose());
  await second.resume();
  expect(second.status()).toMatchObject({ state: 'failed', port: null });
  const world: RecordingWorld = { directory, recorder, store, port, open, proxy: second, database: '' };
  return { second, next, thief, port, launch, warnings, handlers: handlersOf(world) };
}

describe('a port that agents still send to, taken by another program', () => {
  it('is listened on as soon as it is free again, and said to be missed once', async () => {
    const { second, thief, port, launch, warnings } = await aProxyWhosePortIsTaken();
    await sleep(1500);
    expect(warnings).toHaveLength(1);
    thief.close();
    await expect.poll(() => second.status()).toMatchObject({ state: 'listening', port, error: null });
    expect(second.find(launch.token)?.launch.baseUrl).toBe(launch.baseUrl);
  });

  it('is not given up for another', async () => {
    const { second, thief, port, handlers } = await aProxyWhosePortIsTaken();
    const started = handlers.launch({ agent: 'codex', overrides: [], replay: false, noProxy: '' }, never);
    await expect(started).rejects.toMatchObject({
      code: 'proxy.portInUse',
      message: expect.stringContaining(`Port ${port}`),
      hint: expect.stringContaining('by itself'),
    });
    thief.close();
    await once(thief, 'close');
    expect(await handlers.launch({ agent: 'codex', overrides: [], replay: false, noProxy: '' }, never)).toMatchObject({
      port,
    });
    expect(second.status().port).toBe(port);
  });

  it('is taken first by who starts the proxy on any port', async () => {
    const { second, next, thief, port } = await aProxyWhosePortIsTaken();
    await second.dispose();
    thief.close();
    await once(thief, 'close');
    const third = next();
    onTestFinished(() => third.dispose());
    expect(await third.start(0)).toMatchObject({ port });
  });

  it('is given up for the one that a person names', async () => {
    const { second, thief, port } = await aProxyWhosePortIsTaken();
    const other = await listen(0);
    const { port: named } = other.address() as { port: number };
    other.close();
    expect(await second.start(named)).toMatchObject({ port: named });
    thief.close();
    await sleep(1000);
    await listen(port);
  });

  it('is given up when its agents have ended, or the server does', async () => {
    const { second, thief, port, launch, handlers } = await aProxyWhosePortIsTaken();
    expect(await handlers.close({ token: launch.token }, never)).toMatchObject({ closed: true });
    const { port: other } = await second.start(0);
    expect(other).not.toBe(port);
    const ending = await aProxyWhosePortIsTaken();
    await ending.second.dispose();
    for (const each of [thief, ending.thief]) each.close();
    await sleep(1000);
    for (const each of [port, ending.port]) await listen(each);
  });
});
