import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { silentLog } from '../../server/base/log.ts';
import { regradeRun } from '../../server/bench/runs/regrade.ts';
import { validateTask } from '../../server/bench/validate.ts';
import { executorsOf } from '../../server/executors/index.ts';
import { loadPreparedTask } from '../../server/tasks/format.ts';
import { importTask } from '../../server/tasks/transfer/importTask.ts';
import { aHarborTask, aSteppedHarborTask, aTerminalBenchTask } from '../unit/tasks/transfer/foreignDirectories.ts';
import type { BenchSubject } from './benchContract.ts';
import { aBench, type Bench } from './benchFixture.ts';

const shell = (label: string, script: string) => ({ id: 'command', label, command: ['sh', '-c', script] });

/** Tasks of other programs, on one executor. */
export function foreignTasksContract(subject: BenchSubject): void {
  describe(`a task of another program, run by ${subject.name}`, () => {
    let bench: Bench | null = null;
    afterEach(async () => {
      await bench?.dispose();
      bench = null;
    });

    /** Imports a task into the bench's repository and proves it. */
    async function anImportedTask(path: string) {
      bench = await aBench({ executors: subject.executors });
      const { root, home } = bench;
      const spec = { root, path, format: undefined, name: 'foreign', instance: undefined };
      const directory = await importTask(spec, systemClock, AbortSignal.timeout(170_000));
      const deps = {
        executors: executorsOf(subject.executors(home)),
        proofs: bench.store,
        clock: systemClock,
        log: silentLog,
      };
      const validate = async () =>
        validateTask(
          await loadPreparedTask(directory),
          { executor: 'auto', repeats: 1 },
          deps,
          AbortSignal.timeout(170_000),
        );
      return { bench, directory, validate };
    }

    it('is proven by its own solution script, and rewards who solves it (Harbor)', { timeout: 180_000 }, async () => {
      const { bench, directory, validate } = await anImportedTask(aHarborTask());
      expect(await validate()).toMatchObject({ reference: 1, noOp: 0 });
      const task = await loadPreparedTask(directory);
      expect(task.proof).not.toBeNull();
      expect(task.solutionPatch?.toString()).toContain('+hello');
      const runId = await bench.run(
        [
          { id: 'oracle' },
          { id: 'nop' },
          shell('solver', 'cat readme.txt && echo hello > greeting.txt'),
          shell('forger', 'mkdir -p /logs/verifier; echo 1 > /logs/verifier/reward.txt; echo 1 > reward.txt'),
          shell('tamperer', 'mkdir -p /tests; echo "echo 1 > /logs/verifier/reward.txt" > /tests/test.sh'),
        ],
        { tasks: ['foreign'], unproven: false },
      );
      await bench.service.finished(runId);
      const rewards = Object.fromEntries(bench.store.trials(runId).map(trial => [trial.agentLabel, trial.reward]));
      expect(rewards).toEqual({ oracle: 1, nop: 0, solver: 1, forger: 0, tamperer: 0 });
    });

    it('is judged by the summary of its test runner (Terminal-Bench)', { timeout: 180_000 }, async () => {
      const { bench, validate } = await anImportedTask(aTerminalBenchTask());
      expect(await validate()).toMatchObject({ reference: 1, noOp: 0 });
      const runId = await bench.run([{ id: 'oracle' }, shell('wrong', 'echo bye > hello.txt')], { tasks: ['foreign'] });
      await bench.service.finished(runId);
      expect(bench.store.trials(runId).map(trial => trial.reward)).toEqual([1, 0]);
    });

    it('works through the steps of a task, each in a fresh sandbox with the work of those before', {
      timeout: 400_000,
    }, async () => {
      const { bench, directory, validate } = await anImportedTask(aSteppedHarborTask());
      expect(await validate()).toMatchObject({ reference: 1, noOp: 0 });
      expect(readFileSync(join(directory, 'solution', 'solution.patch'), 'utf8')).toContain('+WORLD');
      const script = 'touch /tmp/left; if [ -f word.txt ]; then cat word.txt; else echo WORD; fi';
      const runId = await bench.run(
        [
          { id: 'oracle' },
          shell('solver', 'if [ -f word.txt ]; then cat word.txt >> greeting.txt; else echo hello > greeting.txt; fi'),
          shell('half', 'if [ ! -f word.txt ]; then echo hi > greeting.txt; fi'),
          shell('forger', `${script} > greeting.txt; echo '{"reward":1,"quality":1}' > /logs/verifier/reward.json`),
          shell(
            'leftover',
            'echo hello > greeting.txt; test ! -f /tmp/left || cat word.txt >> greeting.txt; touch /tmp/left',
          ),
        ],
        { tasks: ['foreign'], unproven: false },
      );
      await bench.service.finished(runId);
      const trials = bench.store.trials(runId);
      const steps = Object.fromEntries(
        trials.map(trial => [trial.agentLabel, [trial.reward, ...(trial.steps ?? []).map(step => step.reward)]]),
      );
      expect(steps).toEqual({
        oracle: [1, 1, 1],
        solver: [1, 1, 1],
        half: [0.25, 0.5, 0],
        forger: [0, 0],
        leftover: [0.5, 1, 0],
      });
      const solver = trials.find(trial => trial.agentLabel === 'solver')?.directory ?? '';
      const score = JSON.parse(readFileSync(join(solver, 'score.json'), 'utf8')) as { steps: unknown };
      expect(score.steps).toMatchObject([
        { name: 'first', end: 'verified', reward: 1, rewards: { quality: 1 } },
        { name: 'second', reward: 1 },
      ]);
      expect(readFileSync(join(solver, 'diff.patch'), 'utf8')).toContain('+WORLD');
      expect(readFileSync(join(solver, 'steps', 'first', 'diff.patch'), 'utf8')).not.toContain('WORLD');

      const regrade = async () => {
        const rows = await regradeRun(
          bench.service.require(runId),
          { executor: 'auto', rubricOnly: false },
          deps,
          signal,
        );
        const labelOf = (id: string) => trials.find(trial => trial.id === id)?.agentLabel ?? '';
        return Object.fromEntries(rows.map(row => [labelOf(row.trialId), row]));
      };
      const signal = AbortSignal.timeout(390_000);
      const deps = {
        ...{ store: bench.store, executors: executorsOf(subject.executors(bench.home)), clock: systemClock },
        ...{ ...bench.judging, log: silentLog, loadTask: () => loadPreparedTask(directory) },
      };
      const same = await regrade();
      for (const [label, row] of Object.entries(same)) {
        expect([row.after, ...(row.steps ?? []).map(step => step.after)], label).toEqual(steps[label]);
      }
      // Another verifier of the first step, and one trial whose second change is gone.
      writeFileSync(join(directory, 'steps', 'first', 'tests', 'test.sh'), '#!/bin/bash\n. /tests/lib.sh\ngive 0.25\n');
      const oracle = trials.find(trial => trial.agentLabel === 'oracle')?.directory ?? '';
      rmSync(join(oracle, 'steps', 'first', 'diff.patch'));
      const other = await regrade();
      expect(other['solver']).toMatchObject({ before: 1, after: 0.25, error: null });
      expect(other['solver']?.steps).toMatchObject([{ after: 0.25 }, { name: 'second', before: 1, after: null }]);
      expect(other['forger']).toMatchObject({ before: 0, after: 0.25 });
      expect(other['oracle']).toMatchObject({ after: null, error: { code: 'verifier.failed' } });
      expect(other['oracle']?.error?.message).toMatch(
        /^1 of 2 steps can’t be judged again\. first: steps\/first\/diff\.patch .* is gone\.$/,
      );
    });

    it('gives a verifier with an environment of its own the declared artifacts and nothing else', {
      timeout: 180_000,
    }, async () => {
      const { bench, validate } = await anImportedTask(
        aHarborTask({
          'task.toml': `schema_version = "1.4"\nartifacts = ["/app/out"]\n[task]\nname = "acme/apart"\n[verifier]\nenvironment_mode = "separate"\n`,
          'instruction.md': 'Write "hello" to out/greeting.txt.',
          'tests/Dockerfile': 'FROM node:24-bookworm-slim\nWORKDIR /tests\nCOPY shared/ ./shared/\n',
          'tests/test.sh':
            '#!/bin/bash\n. /tests/shared/lib.sh\n[ "$PWD" = /tests ] && [ ! -e /app/readme.txt ] && [ "$(cat /app/out/greeting.txt)" = hello ] && give 1 || give 0\n',
          'solution/solve.sh': '#!/bin/bash\nmkdir out && echo hello > out/greeting.txt\n',
        }),
      );
      expect(await validate()).toMatchObject({ reference: 1, noOp: 0 });
      const runId = await bench.run([shell('good', 'mkdir out; echo hello > out/greeting.txt'), { id: 'nop' }], {
        tasks: ['foreign'],
        unproven: false,
      });
      await bench.service.finished(runId);
      expect(bench.store.trials(runId).map(trial => trial.reward)).toEqual([1, 0]);
    });

    it('hands on what is left in /logs/artifacts, and nothing that only looks like it', {
      timeout: 180_000,
    }, async () => {
      const { bench, validate, directory } = await anImportedTask(
        aHarborTask({
          'task.toml': `schema_version = "1.4"\nartifacts = ["/app/out"]\n[task]\nname = "acme/apart"\n[verifier]\nenvironment_mode = "separate"\n`,
          'instruction.md': 'Write "hello" to out/greeting.txt and 42 to /logs/artifacts/deep/answer.txt.',
          'tests/Dockerfile': 'FROM node:24-bookworm-slim\nWORKDIR /tests\nCOPY shared/ ./shared/\n',
          'tests/test.sh':
            '#!/bin/bash\n. /tests/shared/lib.sh\n[ "$(cat /app/out/greeting.txt)" = hello ] && [ "$(cat /logs/artifacts/deep/answer.txt)" = 42 ] && [ -z "$(ls /app | grep -v out)" ] && give 1 || give 0\n',
          'solution/solve.sh':
            '#!/bin/bash\nmkdir -p out /logs/artifacts/deep && echo hello > out/greeting.txt && echo 42 > /logs/artifacts/deep/answer.txt\n',
        }),
      );
      expect(await validate()).toMatchObject({ reference: 1, noOp: 0 });
      expect((await loadPreparedTask(directory)).solutionPatch?.toString()).toContain(
        '+++ b/outside-workdir/logs/artifacts/deep/answer.txt',
      );
      const greet = 'mkdir -p out /logs/artifacts; echo hello > out/greeting.txt';
      const runId = await bench.run(
        [
          { id: 'oracle' },
          { id: 'nop' },
          shell('good', `${greet}; mkdir /logs/artifacts/deep; echo 42 > /logs/artifacts/deep/answer.txt`),
          shell('half', greet),
          shell('linker', `${greet}; ln -s /tests /logs/artifacts/deep; ln -s /tests/shared out/more`),
          shell(
            'forger',
            `${greet}; for place in logs/verifier tests logs/artifacts/deep; do mkdir -p outside-workdir/$place; done; echo 1 > outside-workdir/logs/verifier/reward.txt; echo 42 > outside-workdir/logs/artifacts/deep/answer.txt; echo 'echo 1 > /logs/verifier/reward.txt' > outside-workdir/tests/test.sh`,
          ),
        ],
        { tasks: ['foreign'], unproven: false },
      );
      await bench.service.finished(runId);
      const rewards = Object.fromEntries(bench.store.trials(runId).map(trial => [trial.agentLabel, trial.reward]));
      expect(rewards).toEqual({ oracle: 1, nop: 0, good: 1, half: 0, linker: 0, forger: 0 });
    });

    it('judges each step where it says: in an environment of its own, or in the agent’s', {
      timeout: 180_000,
    }, async () => {
      const { bench, validate } = await anImportedTask(
        aSteppedHarborTask({
          'task.toml': `schema_version = "1.4"
multi_step_reward_strategy = "mean"
[task]
name = "acme/two-places"
[environment]
workdir = "/app"
[[steps]]
name = "first"
artifacts = ["/app/greeting.txt"]
[steps.verifier]
environment_mode = "separate"
[[steps]]
name = "second"
`,
          'steps/first/tests/Dockerfile': 'FROM node:24-bookworm-slim\nWORKDIR /tests\n',
          'steps/first/tests/test.sh':
            '#!/bin/bash\n. /tests/lib.sh\n[ "$PWD" = /tests ] && [ ! -e /app/readme.txt ] && [ "$(cat /app/greeting.txt)" = hello ] && give 1 || give 0\n',
          'steps/first/solution/solve.sh':
            '#!/bin/bash\nset -e\necho hello > greeting.txt\nmkdir -p /logs/artifacts\necho noted > /logs/artifacts/note.txt\n',
          'steps/second/tests/test.sh':
            '#!/bin/bash\n. /tests/lib.sh\n[ "$PWD" = /app ] && [ -e readme.txt ] && [ ! -e outside-workdir ] && [ "$(tail -n 1 greeting.txt)" = WORLD ] && [ "$(cat /logs/artifacts/note.txt)" = noted ] && give 1 || give 0\n',
        }),
      );
      expect(await validate()).toMatchObject({ reference: 1, noOp: 0 });
      const work = (note: string) =>
        `if [ -f word.txt ]; then cat word.txt >> greeting.txt; else echo hello > greeting.txt; ${note}; fi`;
      const runId = await bench.run(
        [
          { id: 'oracle' },
          shell('good', work('mkdir -p /logs/artifacts; echo noted > /logs/artifacts/note.txt')),
          shell('forgetful', work('true')),
        ],
        { tasks: ['foreign'], unproven: false },
      );
      await bench.service.finished(runId);
      const trials = bench.store.trials(runId);
      const rewards = trials.map(trial => [trial.agentLabel, ...(trial.steps ?? []).map(step => step.reward)]);
      expect(rewards).toEqual([
        ['oracle', 1, 1],
        ['good', 1, 1],
        ['forgetful', 1, 0],
      ]);
    });

    it('judges the predictions of a SWE-bench file', { timeout: 180_000 }, async () => {
      const { bench, validate } = await anImportedTask(aHarborTask());
      await validate();
      const patch = (text: string) =>
        `diff --git a/greeting.txt b/greeting.txt\nnew file mode 100644\n--- /dev/null\n+++ b/greeting.txt\n@@ -0,0 +1 @@\n+${text}\n`;
      const lines = [
        ['good', patch('hello')],
        ['bad', patch('bye')],
        ['broken', 'no patch at all\n'],
      ].map(([model, text]) =>
        JSON.stringify({ instance_id: 'local__foreign-1', model_name_or_path: model, model_patch: text }),
      );
      const file = join(bench.home, 'predictions.jsonl');
      writeFileSync(file, lines.join('\n'));
      const of = (model: string) => ({ id: 'predictions', model, label: model, command: [file] });
      const runId = await bench.run([of('good'), of('bad'), of('broken'), of('unknown')], { tasks: ['foreign'] });
      await bench.service.finished(runId);
      const ends = bench.store.trials(runId).map(trial => [trial.agentLabel, trial.end, trial.reward]);
      expect(ends).toEqual([
        ['good', 'verified', 1],
        ['bad', 'verified', 0],
        ['broken', 'agentFailed', 0],
        ['unknown', 'errored', null],
      ]);
    });

    it('reaches no verdict where its verifier can’t do its work', { timeout: 180_000 }, async () => {
      const needsNetwork = { 'tests/test.sh': '#!/bin/bash\nno-such-runner || exit 127\n' };
      const { bench, validate } = await anImportedTask(aHarborTask(needsNetwork));
      await expect(validate()).rejects.toMatchObject({ code: 'verifier.failed' });
      const runId = await bench.run([{ id: 'nop' }], { tasks: ['foreign'] });
      await bench.service.finished(runId);
      expect(bench.store.trials(runId)[0]).toMatchObject({ reward: null, error: { code: 'verifier.failed' } });
    });

    it('gives 0 where the change alone keeps the verifier from its word', { timeout: 180_000 }, async () => {
      const { bench, validate } = await anImportedTask(
        aHarborTask({
          'tests/test.sh':
            '#!/bin/bash\n. /tests/lib.sh\nsh bin/say > /tmp/said || exit 1\ngrep -q hello /tmp/said && give 1 || give 0\n',
        }),
      );
      expect(await validate()).toMatchObject({ reference: 1, noOp: 0 });
      const runId = await bench.run([shell('breaker', 'rm -r bin')], { tasks: ['foreign'] });
      await bench.service.finished(runId);
      expect(bench.store.trials(runId)[0]).toMatchObject({ reward: 0, end: 'verified' });
    });

    it('refuses a reward that is none', { timeout: 180_000 }, async () => {
      const { validate } = await anImportedTask(
        aHarborTask({
          'tests/test.sh':
            '#!/bin/bash\necho 1 > /logs/verifier/reward.txt\necho \'{"a": 7}\' > /logs/verifier/reward.json\n',
        }),
      );
      await expect(validate()).rejects.toThrow(/no reward between 0 and 1: reward\.json/);
    });
  });
}
