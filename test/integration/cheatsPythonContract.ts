import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { taskHandlers } from '../../server/tasks/handlers.ts';
import { importTask } from '../../server/tasks/transfer/importTask.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aCleanSession, sessionsOf, taskDeps } from '../unit/tasks/aSession.ts';
import type { BenchSubject } from './benchContract.ts';
import { aBench, type Bench } from './benchFixture.ts';
import { earnings, prove } from './cheating.ts';
import { type PythonCheat, pythonCheats, pythonFeature, pythonHiddenTests, pythonStart } from './cheatsPython.ts';
import { runGit, writeFiles } from './executorsFixture.ts';

const ids = ['tests/test_stats.py > test_takes_the_middle', 'tests/test_stats.py > test_lies_between_two'];

/** Agents that cheat pytest earn a reward of a careless verifier, and none of ours; registered once per executor. */
export function cheatsPythonContract(subject: BenchSubject): void {
  describe(`cheats of pytest in ${subject.name} sandboxes`, () => {
    let bench: Bench;
    afterEach(() => bench.dispose());

    it('earn nothing, while the reference earns 1', { timeout: 600_000 }, async () => {
      bench = await aBench({ executors: subject.executors });
      const root = join(bench.home, 'python');
      const signal = AbortSignal.timeout(580_000);
      const task = await preparedTask(root, signal);
      const { proof, verifier } = await prove(bench, subject, task.directory, signal);
      expect(proof).toMatchObject({ reference: 1, noOp: 0 });
      expect(verifier).toMatchObject({
        failToPass: ids,
        passToPass: ['tests/test_sums.py > test_adds'],
        mustFail: ids,
      });
      const agents = [{ id: 'oracle' }, { id: 'nop' }, ...pythonCheats.map(toAgent)];
      const { trials, rewards } = await earnings(bench, agents, { repository: root, tasks: [task.id] });
      expect(trials.flatMap(trial => trial.error ?? [])).toEqual([]);
      expect(rewards).toEqual({
        oracle: 1,
        nop: 0,
        ...Object.fromEntries(pythonCheats.map(({ name }) => [name, 0])),
      });
    });
  });
}

/** The same of a task that came from SWE-bench, which its own script judges by what pytest prints. */
export function importedCheatsContract(subject: BenchSubject): void {
  describe(`cheats of pytest on a SWE-bench instance in ${subject.name} sandboxes`, () => {
    let bench: Bench;
    afterEach(() => bench.dispose());

    it('earn nothing, while the reference earns 1', { timeout: 900_000 }, async () => {
      bench = await aBench({ executors: subject.executors });
      const root = join(bench.home, 'python');
      const signal = AbortSignal.timeout(880_000);
      const spec = { root, path: writeInstance(root), format: undefined, name: 'median', instance: undefined };
      const directory = await importTask(spec, systemClock, signal);
      const { proof, verifier } = await prove(bench, subject, directory, signal);
      expect(proof).toMatchObject({ reference: 1, noOp: 0 });
      expect(verifier).toMatchObject({
        mustFail: ['takes_the_middle', 'lies_between_two'].map(
          name => `fail_to_pass > tests/test_stats.py::test_${name}`,
        ),
      });
      const other = {
        ...{ name: 'solves it in another way', trusted: 'exitCode' as const },
        files: { 'kit/stats.py': 'from statistics import median\n' },
      };
      const agents = [{ id: 'oracle' }, { id: 'nop' }, ...[other, ...pythonCheats].map(toAgent)];
      const { trials, rewards } = await earnings(bench, agents, { repository: root, tasks: ['median'] });
      expect(trials.flatMap(trial => trial.error ?? [])).toEqual([]);
      expect(rewards).toEqual({
        oracle: 1,
        nop: 0,
        [other.name]: 1,
        ...Object.fromEntries(pythonCheats.map(({ name }) => [name, 0])),
      });
      const plugin = trials.find(trial => trial.agentLabel === 'names a plugin in pyproject.toml');
      expect(plugin?.tests[0]?.message).toContain('also passes with wrong expectations');
    });
  });
}

/** A row of a SWE-bench dataset, of the commits of a repository that is made for it. */
function writeInstance(root: string): string {
  mkdirSync(root, { recursive: true });
  runGit(root, 'init', '--quiet');
  const commit = (message: string, files: Readonly<Record<string, string>>) => {
    writeFiles(root, files);
    runGit(root, 'add', '--all');
    runGit(root, 'commit', '--quiet', '--message', message);
    return runGit(root, 'rev-parse', 'HEAD').trim();
  };
  const base = commit('Start', pythonStart);
  const patchOf = (message: string, files: Readonly<Record<string, string>>) => {
    commit(message, files);
    return runGit(root, 'diff', '--binary', 'HEAD~1', 'HEAD');
  };
  const row = {
    ...{ repo: 'acme/kit', instance_id: 'acme__kit-7', base_commit: base, problem_statement: 'Add a median.' },
    patch: patchOf('Feature', pythonFeature),
    test_patch: patchOf('Tests', pythonHiddenTests),
    FAIL_TO_PASS: ['tests/test_stats.py::test_takes_the_middle', 'tests/test_stats.py::test_lies_between_two'],
    PASS_TO_PASS: [],
  };
  const file = join(root, '..', 'instance.json');
  writeFileSync(file, JSON.stringify(row));
  return file;
}

/** That each cheat is one: without it the test above would prove nothing. */
export function naivePythonContract(): void {
  describe('a careless verifier of pytest', () => {
    it.each(pythonCheats.map(cheat => [cheat.name, cheat] as const))('rewards an agent that %s', (_name, cheat) => {
      expect(naiveReward(cheat)).toBe(1);
    });

    it('rewards nobody who did nothing', () => {
      expect(naiveReward({ name: 'nothing', trusted: 'exitCode', files: {} })).toBe(0);
      expect(naiveReward({ name: 'nothing', trusted: 'report', files: {} })).toBe(0);
    });
  });
}

async function preparedTask(root: string, signal: AbortSignal) {
  mkdirSync(root, { recursive: true });
  writeFiles(root, pythonStart);
  runGit(root, 'init', '--quiet');
  runGit(root, 'add', '--all');
  runGit(root, 'commit', '--quiet', '--message', 'Start');
  const handlers = taskHandlers(taskDeps({ sessions: sessionsOf(aCleanSession('Add a median to kit/stats.py.')) }));
  await handlers.start({ repository: root, title: 'Median', notes: '', labels: [] }, signal);
  writeFiles(root, { ...pythonFeature, ...pythonHiddenTests });
  const created = await handlers.end({ repository: root, summary: '', labels: [] }, signal);
  return handlers.prepare({ repository: root, task: created.id, name: undefined }, signal);
}

function toAgent(cheat: PythonCheat) {
  return { id: 'command', label: cheat.name, command: toCommand(cheat) };
}

function toCommand({ files, script = 'true' }: PythonCheat): string[] {
  const write = `const { dirname } = require('node:path'); const { mkdirSync, writeFileSync } = require('node:fs');
for (const [path, content] of Object.entries(JSON.parse(process.argv[1]))) { mkdirSync(dirname(path), { recursive: true }); writeFileSync(path, content); }`;
  return ['sh', '-c', `/opt/coach/node/bin/node -e "$1" "$2"; ${script}`, 'sh', write, JSON.stringify(files)];
}

/** Runs a cheat and then the tests in one and the same place, without any sandbox. */
function naiveReward({ files, script, trusted }: PythonCheat): number {
  const directory = temporaryDirectory();
  const repository = join(directory, 'repository');
  const report = join(directory, 'junit.xml');
  writeFiles(repository, { ...pythonStart, ...files });
  // Not the Python that a version manager of this machine puts first.
  const env = { PATH: '/usr/bin:/bin', HOME: directory, PYTHONPATH: '.', PYTHONDONTWRITEBYTECODE: '1' };
  const run = (command: string) => spawnSync('sh', ['-c', command], { cwd: repository, env }).status === 0;
  if (script !== undefined) run(script);
  writeFiles(repository, pythonHiddenTests);
  const passed = run(`python3 -m pytest --junitxml=${report} tests/test_stats.py tests/test_sums.py`);
  if (trusted === 'exitCode') return passed ? 1 : 0;
  const text = readFileSync(report, 'utf8');
  return text.includes('test_takes_the_middle') && !/<(failure|error|skipped)/.test(text) ? 1 : 0;
}
