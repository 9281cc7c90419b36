import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { preparedDirectory } from '../../server/tasks/places.ts';
import { temporaryDirectory } from '../temporary.ts';
import type { BenchSubject } from './benchContract.ts';
import { aBench, type Bench, hiddenTest, solutionLine, startFiles } from './benchFixture.ts';
import { earnings, prove } from './cheating.ts';
import { type Cheat, cheats } from './cheats.ts';
import { runGit, writeFiles } from './executorsFixture.ts';

/** Cheating agents earn a reward of a careless verifier, and none of ours; registered once per executor. */
export function cheatsContract(subject: BenchSubject): void {
  describe(`cheats in ${subject.name} sandboxes`, () => {
    let bench: Bench;
    afterEach(() => bench.dispose());

    it('earn nothing, while the reference earns 1', { timeout: 180_000 }, async () => {
      bench = await aBench({ executors: subject.executors });
      const directory = join(preparedDirectory(bench.root), 'median');
      const { proof, verifier } = await prove(bench, subject, directory, AbortSignal.timeout(120_000));
      expect(proof).toMatchObject({ reference: 1, noOp: 0 });
      expect(verifier).toMatchObject({
        mustFail: ['test/median.test.js > takes the middle'],
      });
      const cheating = cheats.map(({ name, script }) => ({
        id: 'command',
        label: name,
        command: ['sh', '-c', `LOGS=/logs; ${script}`],
      }));
      const { trials, rewards } = await earnings(bench, [{ id: 'oracle' }, { id: 'nop' }, ...cheating]);
      expect(rewards).toEqual({
        oracle: 1,
        nop: 0,
        ...Object.fromEntries(cheats.map(({ name }) => [name, 0])),
      });
      const patched = trials.find(trial => trial.agentLabel === 'patches the assertions');
      expect(patched?.tests[0]?.message).toContain('also passes with wrong expectations');
    });
  });
}

/** That each cheat is one: without it the test above would prove nothing. */
export function naiveContract(): void {
  describe('a careless verifier', () => {
    it.each(cheats.map(cheat => [cheat.name, cheat] as const))('rewards an agent that %s', (_name, cheat) => {
      expect(naiveReward(cheat)).toBe(1);
    });
  });
}

/** Runs a cheat and then the tests in one and the same place, without any sandbox. */
function naiveReward({ script, trusted }: Cheat): number {
  const directory = temporaryDirectory();
  const repository = join(directory, 'repository');
  const logs = join(directory, 'logs');
  mkdirSync(join(logs, 'verifier'), { recursive: true });
  writeFiles(repository, startFiles);
  commit(repository, 'Start');
  if (trusted === 'history') {
    writeFiles(repository, { 'src/median.js': `${solutionLine}\n` });
    commit(repository, 'Median');
    runGit(repository, 'reset', '--quiet', '--hard', 'HEAD~1');
  }
  // Not the variables of the test runner that runs this.
  const env = { PATH: process.env['PATH'] ?? '', LOGS: logs, HOME: directory };
  const run = (command: string) => spawnSync('sh', ['-c', command], { cwd: repository, env }).status === 0;
  run(script);
  if (trusted === 'ownTests') return run('npm test') ? 1 : 0;
  if (trusted === 'rewardFile') return Number(readFileSync(join(logs, 'verifier', 'reward.txt'), 'utf8'));
  const hidden = join(directory, 'hidden');
  writeFiles(hidden, { 'test/median.test.js': hiddenTest });
  cpSync(hidden, repository, { recursive: true });
  const report = join(logs, 'verifier', 'junit.xml');
  const passed = run(`node --test --test-reporter=junit --test-reporter-destination='${report}' test/*.test.js`);
  if (trusted !== 'report') return passed ? 1 : 0;
  // The process that the cheat left behind has the last word.
  run('sleep 0.1');
  return existsSync(report) && !/<(failure|error|skipped)/.test(readFileSync(report, 'utf8')) ? 1 : 0;
}

function commit(repository: string, message: string): void {
  if (!existsSync(join(repository, '.git'))) runGit(repository, 'init', '--quiet');
  runGit(repository, 'add', '--all');
  runGit(repository, 'commit', '--quiet', '--message', message);
}
