import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { remote } from '../../protocol/api.ts';
import { proxy } from '../../protocol/proxy.ts';
import { server } from '../../protocol/server.ts';
import { sessions } from '../../protocol/sessions.ts';
import { isAlive } from '../../server/base/exec.ts';
import { askAgain, LastingChannel } from '../../server/lastingChannel.ts';
import { checkEnvironment } from '../../server/surfaces/cli/traced.ts';
import { type FakeUpstream, type FakeUpstreamOptions, startFakeUpstream } from '../fakes/upstream.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, cliProgram, provideCodex, serverProgram, until, type World } from '../world.ts';
import { aCodexHome, quietArgs } from './proxy/realCodex.ts';

// Servers are started several times in a test.
vi.setConfig({ testTimeout: 60_000 });

const hosts = ['api.openai.com', 'chatgpt.com'];
const prompt = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'SAY hello' }] };

async function aWorldWithModel(options: FakeUpstreamOptions = {}): Promise<{ home: World; upstream: FakeUpstream }> {
  const upstream = await startFakeUpstream(options);
  onTestFinished(() => upstream.dispose());
  const home = aWorld({ COACH_UPSTREAMS: hosts.map(host => `${host}=${upstream.origin}`).join(',') });
  return { home, upstream };
}

/** A client that starts the server again as soon as it has ended; gone after the test. */
function aWatchingChannel(
  { paths, env }: World,
  program = serverProgram,
  note?: (text: string) => void,
): LastingChannel {
  const channel = new LastingChannel({ paths, client: 'cli', program, env }, { watch: true, ...(note && { note }) });
  onTestFinished(() => channel.dispose());
  return channel;
}

async function ask(baseUrl: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(`${baseUrl}/responses`, {
    method: 'POST',
    headers: { connection: 'close', ...headers },
    body: JSON.stringify({ model: 'gpt-5.5', input: [prompt] }),
  });
  await answer.text();
  return answer.status;
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(() => !isAlive(pid), 20_000);
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const request = get({ host: '127.0.0.1', port, path: '/health' }, response => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });
}

/** Waits until the proxy answers on this port again. */
async function back(port: number): Promise<void> {
  await expect.poll(() => answers(port), { interval: 20, timeout: 20_000 }).toBe(true);
}

it('keeps a launch over the death of its server: same port, same token, same session', async () => {
  const { home } = await aWorldWithModel();
  const first = await home.connect();
  const launch = await remote(proxy, first.channel).launch({ agent: 'codex' });
  expect(await ask(launch.baseUrl)).toBe(200);
  // Recorded before the kill: what is under way may be lost with its process.
  await expect.poll(async () => (await remote(sessions, first.channel).list({})).rows[0]?.exchanges).toBe(1);
  await kill(first.info.pid);
  const second = await home.connect();
  expect((await remote(proxy, second.channel).status({})).port).toBe(launch.port);
  expect(await ask(launch.baseUrl)).toBe(200);
  const socket = connect(launch.port, '127.0.0.1');
  const credentials = Buffer.from(`coach:${launch.token}`).toString('base64');
  socket.write(`CONNECT api.openai.com:443 HTTP/1.1\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`);
  expect(String((await once(socket, 'data'))[0])).toContain(' 200 ');
  socket.destroy();
  const { closed, sessionIds } = await remote(proxy, second.channel).close({ token: launch.token });
  expect(closed).toBe(true);
  const { rows } = await remote(sessions, second.channel).list({});
  expect(rows).toMatchObject([{ id: sessionIds[0], exchanges: 2, agent: 'codex' }]);
  expect(sessionIds).toHaveLength(1);
  expect(await ask(launch.baseUrl)).toBe(401);
});

it('keeps no token, no key and no closed launch on the disk', async () => {
  const { home } = await aWorldWithModel();
  const { channel } = await home.connect();
  const open = await remote(proxy, channel).launch({ agent: 'codex' });
  const closed = await remote(proxy, channel).launch({ agent: 'codex' });
  await remote(proxy, channel).close({ token: closed.token });
  const text = readFileSync(home.paths.launches, 'utf8');
  expect(statSync(home.paths.launches).mode & 0o777).toBe(0o600);
  expect(text).not.toContain(open.token);
  expect(JSON.parse(text).launches).toHaveLength(1);
});

it('listens again where agents without a token expect it', async () => {
  const { home } = await aWorldWithModel();
  const first = await home.connect();
  const { port } = await remote(proxy, first.channel).start({});
  await kill(first.info.pid);
  await home.connect();
  expect(await answers(port ?? 0)).toBe(true);
});

it('is back on its port by who watches, again and again', async () => {
  const { home } = await aWorldWithModel();
  const channel = aWatchingChannel(home);
  const launch = await remote(proxy, channel).launch({ agent: 'codex' });
  for (let round = 0; round < 3; round++) {
    const { pid } = await remote(server, channel).status({});
    await kill(pid);
    await back(launch.port);
    expect(await ask(launch.baseUrl, { 'thread-id': 'kept' })).toBe(200);
  }
});

it('is started ever more seldom while it can’t start, which is told once, and is back when it can', async () => {
  const { home } = await aWorldWithModel();
  const directory = temporaryDirectory();
  const [program, starts] = [join(directory, 'server.cjs'), join(directory, 'starts')];
  const works = `require(${JSON.stringify(serverProgram)});`;
  writeFileSync(program, works);
  const notes: string[] = [];
  const channel = aWatchingChannel(home, program, text => void notes.push(text));
  const { pid } = await remote(server, channel).status({});
  writeFileSync(starts, '');
  const counted = `require('node:fs').appendFileSync(${JSON.stringify(starts)}, 'x');`;
  writeFileSync(program, `${counted} process.stderr.write('as ordered'); process.exit(1);`);
  await kill(pid);
  await expect.poll(() => notes, { timeout: 20_000 }).toEqual([expect.stringContaining('as ordered')]);
  await sleep(6000);
  expect(notes).toHaveLength(1);
  expect(readFileSync(starts, 'utf8').length).toBeLessThanOrEqual(10);
  writeFileSync(program, works);
  expect((await remote(server, channel).status({})).pid).not.toBe(pid);
});

it('hears events of the next server without asking for them again', async () => {
  const { home } = await aWorldWithModel();
  const channel = aWatchingChannel(home);
  const heard: string[] = [];
  remote(sessions, channel).on('changed', session => heard.push(session.id));
  const launch = await remote(proxy, channel).launch({ agent: 'codex' });
  await kill((await remote(server, channel).status({})).pid);
  await askAgain(() => remote(server, channel).status({}));
  await ask(launch.baseUrl, { 'thread-id': 'after' });
  await expect.poll(() => heard).toContain('after');
});

it('is asked again for what its end cut off', async () => {
  const { home } = await aWorldWithModel();
  const channel = aWatchingChannel(home);
  const { pid } = await remote(server, channel).status({});
  process.kill(pid, 'SIGSTOP');
  const asked = vi.fn(() => remote(proxy, channel).launch({ agent: 'codex' }));
  const launching = askAgain(asked);
  await kill(pid);
  const launch = await launching;
  expect(asked).toHaveBeenCalledTimes(2);
  expect(await ask(launch.baseUrl, { 'thread-id': 'again' })).toBe(200);
});

it('may end while an agent is being started', async () => {
  const { home } = await aWorldWithModel();
  const channel = aWatchingChannel(home);
  const { pid } = await remote(server, channel).status({});
  process.kill(pid, 'SIGSTOP');
  const notes: string[] = [];
  const checked = checkEnvironment(channel, home.env, note => notes.push(note));
  await kill(pid);
  await checked;
  expect(notes).toEqual([]);
});

describe.skipIf(!requireFeature('codex'))('the real Codex, started by codex-coach', { timeout: 90_000 }, () => {
  it.each([
    ['over SSE', {}],
    ['over its WebSocket', { webSocket: true, deflate: true }],
  ] as const)('finishes its session although the server is killed in the middle, %s', async (_transport, options) => {
    const { home, upstream } = await aWorldWithModel(options);
    provideCodex(home);
    const connection = await home.connect();
    const calls = () => upstream.requests.filter(({ body }) => body !== null && body['generate'] !== false).length;
    const script = 'SHELL sleep 1 && echo one\nSHELL sleep 2 && echo two\nSHELL echo three\nSAY All done.';
    const env = { ...home.env, CODEX_HOME: aCodexHome(), CODEX_API_KEY: 'sk-canary-0123456789abcdef' };
    const argv = [cliProgram, ...quietArgs, script];
    const coach = spawn(process.execPath, argv, { cwd: temporaryDirectory(), env, stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void coach.kill('SIGKILL'));
    let stdout = '';
    coach.stdout.on('data', chunk => {
      stdout += chunk;
    });
    coach.stderr.resume();
    await until(() => calls() >= 2, 30_000);
    await expect
      .poll(async () => (await remote(sessions, connection.channel).list({})).rows[0]?.exchanges ?? 0)
      .toBeGreaterThan(0);
    const { port } = await remote(proxy, connection.channel).status({});
    const callsBefore = calls();
    const killedAtMs = Date.now();
    process.kill(connection.info.pid, 'SIGKILL');
    await back(port ?? 0);
    const [exitCode] = (await once(coach, 'close')) as [number | null];
    expect(exitCode).toBe(0);
    expect(stdout).toContain('All done.');
    expect(calls()).toBeGreaterThan(callsBefore);
    const database = new Database(home.paths.tracesDb, { readonly: true });
    onTestFinished(() => void database.close());
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    const exchanges = database.prepare('SELECT session_id AS session, ts_ms AS atMs FROM exchanges').all() as {
      session: string;
      atMs: number;
    }[];
    expect(new Set(exchanges.map(({ session }) => session)).size).toBe(1);
    expect(exchanges.some(({ atMs }) => atMs < killedAtMs)).toBe(true);
    expect(exchanges.some(({ atMs }) => atMs > killedAtMs)).toBe(true);
  });
});
