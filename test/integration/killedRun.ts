import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunEvent, TrialSummary } from '../../protocol/runs.ts';
import { systemClock } from '../../server/base/clock.ts';
import { RunStore } from '../../server/bench/runs/runStore.ts';
import { startFakeUpstream } from '../fakes/upstream.ts';
import { processesWith } from '../processes.ts';
import { solutionLine } from './benchFixture.ts';
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

/** How long what was told to end may take for it. */
const endsWithinMs = 5000;

export interface KilledRun {
  readonly runId: string;
  readonly home: string;
  /** Servers that were killed before their run was over. */
  readonly kills: number;
  readonly trials: number;
  /** Trials that did not come to the one verdict that they had to, with what was wrong. */
  readonly wrong: readonly string[];
  /** Trials whose agent began more than once in the try that counts, or that ended more than once. */
  readonly twice: readonly string[];
  /** What is left of them on this machine. */
  readonly left: { readonly processes: readonly string[]; readonly directories: readonly string[] };
}

/** Kills the server of a run `kills` times at random moments, each time starting another one, and looks at what it came to. */
export async function killAgainAndAgain(options: {
  readonly executor: 'docker' | 'local';
  readonly kills: number;
  readonly attempts: number;
  /** Called while servers come and go. */
  look?(): void;
}): Promise<KilledRun> {
  const directory = temporaryDirectory('killed');
  const home = join(directory.path, 'home');
  const upstream = await startFakeUpstream();
  const { executor, attempts } = options;
  const script = fileURLToPath(new URL('./benchServer.ts', import.meta.url));
  // A trial may die with each of its servers.
  const retries = Math.max(10, options.kills);
  const argument = JSON.stringify({ home, executor, command: agent, attempts, retries, upstream: upstream.origin });
  const start = () =>
    spawn(process.execPath, [script, argument], {
      env: { ...process.env, TMPDIR: directory.path },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  try {
    let isOver = false;
    let kills = 0;
    while (kills < options.kills && !isOver) {
      // Each fourth one dies at its start, the others when they are at work.
      isOver = await livesFor(start(), Math.random() * 5000, kills % 4 === 3 ? 'spawned' : 'at work');
      if (!isOver) kills++;
      options.look?.();
    }
    if (!isOver && !(await livesFor(start(), 300_000, 'spawned'))) throw new Error('The run does not come to its end.');
    return { ...outcomeOf(home, attempts), home, kills, left: await leftBy(directory.path, home) };
  } finally {
    await upstream.dispose();
    directory.dispose();
  }
}

function outcomeOf(home: string, attempts: number): Pick<KilledRun, 'runId' | 'trials' | 'wrong' | 'twice'> {
  const store = new RunStore(join(home, 'coach.sqlite3'), systemClock);
  try {
    const [run, ...others] = store.list(10);
    if (run === undefined || others.length > 0) throw new Error('There is not one run.');
    const trials = store.trials(run.id);
    const events = store.events(run.id, 0, 5000 + trials.length * 1000);
    const wrong = trials.flatMap(trial => faultOf(trial).map(fault => `${trial.id}: ${fault}`));
    if (run.state !== 'finished' || trials.length !== attempts) wrong.push(`${run.id} is ${run.state}`);
    const twice = trials.filter(trial => beganOrEndedTwice(trial, events)).map(trial => trial.id);
    return { runId: run.id, trials: trials.length, wrong, twice };
  } finally {
    store.dispose();
  }
}

function faultOf({ end, reward, error, directory }: TrialSummary): string[] {
  if (end !== 'verified' || reward !== 1) return [`it ended as ${end} with ${reward}: ${error?.message ?? 'no error'}`];
  const began = beginsIn(directory)[0];
  const output = readFileSync(join(directory, 'agent', 'stdout.jsonl'), 'utf8');
  return output === `began ${began}\nended ${began}\n` ? [] : [`its agent's output is ${JSON.stringify(output)}`];
}

function beganOrEndedTwice({ id, directory }: TrialSummary, events: readonly RunEvent[]): boolean {
  const ends = events.filter(event => event.trialId === id && event.kind === 'end');
  return ends.length !== 1 || beginsIn(directory).length !== 1;
}

/** Process ids that the agent noted when it began. */
function beginsIn(directory: string): string[] {
  const patch = readFileSync(join(directory, 'diff.patch'), 'utf8');
  const [, noted = ''] = /\+\+\+ b\/began\.txt\n@@ .*\n((?:\+\d+\n)*)/.exec(patch) ?? [];
  return [...noted.matchAll(/\d+/g)].map(([pid]) => pid);
}

async function leftBy(temporary: string, home: string): Promise<KilledRun['left']> {
  const until = Date.now() + endsWithinMs;
  while (processesWith(home).length > 0 && Date.now() < until) await pause(50);
  const isOurs = (name: string) => existsSync(join(temporary, name, 'owner.json'));
  return {
    processes: processesWith(home),
    directories: [...readdirSync(join(home, 'workspaces')), ...readdirSync(temporary).filter(isOurs)],
  };
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
