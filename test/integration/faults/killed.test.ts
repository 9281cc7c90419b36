import { EventEmitter, once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { remote } from '../../../protocol/api.ts';
import { proxy } from '../../../protocol/proxy.ts';
import { sessions } from '../../../protocol/sessions.ts';
import { atMost } from '../../../server/base/clock.ts';
import { connectToServer, type ServerConnection } from '../../../server/connect.ts';
import { TraceStore } from '../../../server/traces/store.ts';
import type { FakeUpstreamOptions } from '../../fakes/upstream.ts';
import { type ModelTurn, say, shell } from '../../fakes/upstreamModel.ts';
import { requireFeature } from '../../require.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { aCodexHome } from '../proxy/realCodex.ts';
import { aCodexWorld, type CodexWorld, startTurn, storedExchanges } from './tracedCodex.ts';

/** Kills of a server at work; after every fourth its successor is killed too, while that starts. */
const rounds = 20;
const killsPerServer = rounds + rounds / 4;
const stepsPerTurn = 5;
/** What takes longer hangs. Codex itself waits for the network for up to a minute, after outages of more than 3 s. */
const stuckMs = 120_000;
const lastLines = 20;

/** A model that has five commands run in every turn. */
function model({ outputs, forced }: ModelTurn): readonly object[] {
  if (forced !== undefined) return forced as object[];
  return [outputs.length < stepsPerTurn ? shell(`echo ${outputs.length} >> steps.txt`) : say('All done.')];
}

/** Asks until there is an answer. */
async function listens(port: number): Promise<void> {
  const answers = () =>
    new Promise<boolean>(resolve => {
      const request = get({ host: '127.0.0.1', port, path: '/health' }, response => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      request.once('error', () => resolve(false));
    });
  while (!(await answers())) await delay(20);
}

/** The server that others have started; this client starts none. */
async function attach({ home }: CodexWorld): Promise<ServerConnection> {
  for (;;) {
    const options = { paths: home.paths, client: 'test', program: null, env: home.env } as const;
    const connection = await connectToServer(options).catch(() => null);
    if (connection !== null) return connection;
    await delay(20);
  }
}

/** The process of a server that was started after this one. */
async function successorOf(pid: number, { home }: CodexWorld): Promise<number> {
  for (;;) {
    const [next] = home
      .processes()
      .filter(({ command, pid: other }) => command.includes('server.cjs') && other !== pid);
    if (next !== undefined) return next.pid;
    await delay(10);
  }
}

/** What a step that hangs leaves to look at: who runs, and what the servers said last. */
function scene({ home }: CodexWorld): string {
  const logs = readdirSync(home.paths.logs).map(name => join(home.paths.logs, name));
  const lastWords = logs.flatMap(file => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lastLines));
  return [...home.processes().map(({ pid, command }) => `${pid} ${command}`), ...lastWords].join('\n');
}

/** Kills the server again and again, at random moments of Codex's work, and notes what it had told to be stored. */
async function killRepeatedly(world: CodexWorld, work: EventEmitter, signal: AbortSignal) {
  const acknowledged = new Map<string, number>();
  const backMs: number[] = [];
  let port: number | null = null;
  for (let round = 1; round <= rounds; round++) {
    const step = <T>(what: string, wait: Promise<T>) =>
      atMost(stuckMs, wait, () => new Error(`Round ${round}: no ${what} within ${stuckMs} ms.\n${scene(world)}`));
    const { channel, info, dispose } = await step('server', attach(world));
    remote(sessions, channel).on('changed', ({ id, exchanges }) => acknowledged.set(id, exchanges));
    await step('call of Codex', once(work, 'call', { signal }));
    port ??= (await step('status', remote(proxy, channel).status({}))).port;
    await delay(Math.random() * 300);
    process.kill(info.pid, 'SIGKILL');
    if (round % 4 === 0) {
      const next = await step('successor', successorOf(info.pid, world));
      await delay(Math.random() * 200);
      process.kill(next, 'SIGKILL');
    }
    const killedAtMs = Date.now();
    await step('proxy', listens(port ?? 0));
    backMs.push(Date.now() - killedAtMs);
    dispose();
  }
  return { acknowledged, backMs };
}

/** Turns of one thread, until `signal`; answers how many and under which id. */
async function workOn(world: CodexWorld, signal: AbortSignal): Promise<{ turns: number; threadId: string }> {
  const shared = { codexHome: aCodexHome(), directory: temporaryDirectory() };
  let threadId = '';
  for (let turns = 1; ; turns++) {
    const outcome = await startTurn(world, 'Work.', threadId === '' ? shared : { ...shared, resume: threadId }).done;
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('All done.') });
    if (threadId !== '') expect(outcome.threadId).toBe(threadId);
    threadId = outcome.threadId;
    if (signal.aborted) return { turns, threadId };
  }
}

async function expectSurvived(options: FakeUpstreamOptions): Promise<void> {
  const work = new EventEmitter();
  const world = await aCodexWorld({
    ...options,
    model,
    eventDelayMs: 15,
    halfway() {
      work.emit('call');
      return null;
    },
  });
  const [ended, failed] = [new AbortController(), new AbortController()];
  const working = workOn(world, ended.signal).catch(error => {
    failed.abort(error);
    throw error;
  });
  const startedAtMs = Date.now();
  await world.home.connect().then(connection => connection.dispose());
  const startMs = Date.now() - startedAtMs;
  const killing = killRepeatedly(world, work, failed.signal).finally(() => ended.abort());
  const [{ turns, threadId }, { acknowledged, backMs }] = await Promise.all([working, killing]);
  expect(turns).toBeGreaterThan(0);
  // On a machine that has time; elsewhere by what a start takes there.
  const median = backMs.toSorted((a, b) => a - b)[Math.floor(backMs.length / 2)];
  expect(median, `back after ${backMs.join(', ')} ms`).toBeLessThan(Math.max(2000, 4 * startMs));
  const stored = storedExchanges(world);
  expect(new Set(stored.map(({ session }) => session))).toEqual(new Set([threadId]));
  expect(acknowledged.get(threadId)).toBeGreaterThan(0);
  expect(stored.length).toBeGreaterThanOrEqual(acknowledged.get(threadId) ?? 0);
  const store = new TraceStore(world.home.paths.tracesDb);
  for (const { request } of store.wholeExchanges(threadId)) expect(request).toMatchObject({ model: 'gpt-5.5' });
  store.dispose();
}

describe.skipIf(!requireFeature('codex'))(
  `a server that is killed ${2 * killsPerServer} times while Codex works`,
  () => {
    it('is back on its port, loses nothing that it acknowledged, and Codex finishes every turn', async () => {
      await Promise.all([expectSurvived({}), expectSurvived({ webSocket: true, deflate: true })]);
    }, 900_000);
  },
);
