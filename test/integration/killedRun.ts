import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { RunStore } from '../../server/bench/runStore.ts';
import { startFakeUpstream } from '../fakes/upstream.ts';
import { solutionLine } from './benchFixture.ts';
import { processesWith } from './executorsContract.ts';
import { temporaryDirectory } from './executorsFixture.ts';

/** An agent that notes each time it begins, talks to its model as often as it takes, and solves the task. */
const ask = `const body = JSON.stringify({ model: 'gpt-5.5', stream: true, input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'SAY hello' }] }] });
const headers = { 'content-type': 'application/json', authorization: 'Bearer ' + process.env.OPENAI_API_KEY };
const once = () => fetch(process.env.OPENAI_BASE_URL + '/responses', { method: 'POST', headers, body }).then(r => r.text()).then(t => { if (!t.includes('hello')) throw t; }).catch(() => new Promise(r => setTimeout(r, 50)).then(once));
once()`;
const agent = [
  ...['sh', '-c'],
  `echo began $$; echo $$ >> began.txt; mkdir -p src; sleep 1; node -e "$0"; sleep 1; echo '${solutionLine}' > src/median.js; echo ended $$`,
  ask,
];

/**
 * Kills the server of a run `kills` times at random moments, each time starting another one, and expects of the run that
 * nothing of that shows: one verdict per trial, one begin of the agent per try, its output whole, nothing left over.
 */
export async function killAgainAndAgain(options: {
  readonly executor: 'docker' | 'local';
  readonly kills: number;
  readonly attempts: number;
  /** Called while servers come and go. */
  look?(): void;
}): Promise<{ readonly home: string }> {
  const directory = temporaryDirectory('killed');
  const home = join(directory.path, 'home');
  const upstream = await startFakeUpstream();
  const { executor, attempts, kills } = options;
  const script = fileURLToPath(new URL('./benchServer.ts', import.meta.url));
  const argument = JSON.stringify({ home, executor, command: agent, attempts, upstream: upstream.origin });
  const start = () =>
    spawn(process.execPath, [script, argument], {
      env: { ...process.env, TMPDIR: directory.path },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  let isOver = false;
  for (let kill = 0; kill < kills && !isOver; kill++) {
    const server = start();
    // Each fourth one dies at its start, the others when they are at work.
    isOver = await livesFor(server, Math.random() * 5000, kill % 4 === 3 ? 'spawned' : 'at work');
    options.look?.();
  }
  if (!isOver) expect(await livesFor(start(), 300_000, 'spawned')).toBe(true);
  const store = new RunStore(join(home, 'coach.sqlite3'), systemClock);
  const runs = store.list(10);
  expect(runs).toHaveLength(1);
  const runId = runs[0]?.id ?? '';
  expect(runs[0]).toMatchObject({ state: 'finished', trialCounts: { total: attempts, done: attempts, errored: 0 } });
  for (const trial of store.trials(runId)) {
    expect(trial).toMatchObject({ end: 'verified', reward: 1, error: null });
    const ends = store.events(runId, 0, 5000).filter(event => event.trialId === trial.id && event.kind === 'end');
    expect(ends).toHaveLength(1);
    const patch = readFileSync(join(trial.directory, 'diff.patch'), 'utf8');
    expect(patch).toMatch(/\+\+\+ b\/began\.txt\n@@ -0,0 \+1 @@\n\+\d+\n/);
    const began = /^\+(\d+)$/m.exec(patch)?.[1];
    expect(readFileSync(join(trial.directory, 'agent', 'stdout.jsonl'), 'utf8')).toBe(
      `began ${began}\nended ${began}\n`,
    );
  }
  store.dispose();
  expect(readdirSync(join(home, 'workspaces'))).toEqual([]);
  await expect.poll(() => processesWith(home), { timeout: 5000 }).toEqual([]);
  const isOurs = (name: string) => existsSync(join(directory.path, name, 'owner.json'));
  expect(readdirSync(directory.path).filter(isOurs)).toEqual([]);
  await upstream.dispose();
  directory.dispose();
  return { home };
}

/** Waits until a server says that its run is over, or kills it at its time; answers whether it was over. */
function livesFor(server: ChildProcess, ms: number, since: 'spawned' | 'at work'): Promise<boolean> {
  return new Promise(resolve => {
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const limit = () => {
      timer ??= setTimeout(() => server.kill('SIGKILL'), ms);
    };
    if (since === 'spawned') limit();
    server.stdout?.on('data', chunk => {
      limit();
      isOver ||= String(chunk).includes('over');
    });
    server.once('exit', () => {
      clearTimeout(timer);
      resolve(isOver);
    });
  });
}
