import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { silentLog } from '../../server/base/log.ts';
import { prepareEnvironments } from '../../server/bench/environments.ts';
import { digForSolution } from '../../server/bench/proof/digger.ts';
import { validateTask } from '../../server/bench/validate.ts';
import { executorsOf } from '../../server/executors/index.ts';
import { loadPreparedTask } from '../../server/tasks/format.ts';
import { preparedDirectory } from '../../server/tasks/places.ts';
import type { BenchSubject } from './benchContract.ts';
import { aBench, type Bench, hiddenTest, solutionLine, type TaskChanges } from './benchFixture.ts';
import { writeFiles } from './executorsFixture.ts';

const hiddenId = 'test/median.test.js > takes the middle';
const oldId = 'test/add.test.js > adds';

/** What `task validate` tries in sandboxes, and what it finds; registered once per executor. */
export function proofContract(subject: BenchSubject): void {
  describe(`the proof of a task in ${subject.name} sandboxes`, () => {
    let bench: Bench;
    afterEach(() => bench.dispose());

    async function aTask(task: TaskChanges = {}, hidden: Readonly<Record<string, string>> = {}): Promise<string> {
      bench = await aBench({ executors: subject.executors, task: { proven: false, ...task } });
      const directory = join(preparedDirectory(bench.root), 'median');
      writeFiles(join(directory, 'tests', 'files'), hidden);
      return directory;
    }
    const validate = async (directory: string, repeats: number) => {
      const deps = {
        executors: executorsOf(subject.executors(bench.home)),
        proofs: bench.store,
        clock: systemClock,
        log: silentLog,
      };
      const signal = AbortSignal.timeout(170_000);
      return validateTask(await loadPreparedTask(directory), { executor: 'auto', repeats }, deps, signal);
    };

    it('holds every check, in the task and in the database', { timeout: 180_000 }, async () => {
      const directory = await aTask();
      const proof = await validate(directory, 3);
      expect(Object.fromEntries(proof.checks.map(check => [check.id, [check.reward, check.passed]]))).toEqual({
        repeats: [null, true],
        'test-deleter': [0, true],
        'skip-everything': [0, true],
        'reward-forger': [0, true],
        'report-forger': [0, true],
        'configuration-forger': [0, true],
        'history-digger': [null, true],
      });
      expect(proof.checks[0]?.detail).toBe(
        '3 more runs in shuffled order (node --test-randomize, where this Node has it): all agree',
      );
      expect(proof.checks.at(-1)?.detail).toContain('none of 2 hidden files');
      expect((await loadPreparedTask(directory)).proof).toEqual(proof);
      const database = new Database(join(bench.home, 'coach.sqlite3'), { readonly: true });
      const rows = database.prepare('SELECT proof_json FROM task_proofs').pluck().all();
      database.close();
      expect(rows.map(row => JSON.parse(String(row)))).toEqual([proof]);
    });

    it('puts a test that changes its mind into quarantine, for good', { timeout: 180_000 }, async () => {
      const late =
        "\nconst { readFileSync } = require('node:fs');\ntest('is even', () => assert.equal(Number(readFileSync('/proc/self/stat', 'utf8').split(' ')[0]) % 2, require('../src/parity.js')));\n";
      const parity = 'module.exports = Date.now() % 2;\n';
      // The start lacks the module, so that the test is one of those that the solution makes pass, now and then.
      const solution = `diff --git a/src/parity.js b/src/parity.js\nnew file mode 100644\n--- /dev/null\n+++ b/src/parity.js\n@@ -0,0 +1 @@\n+${parity}diff --git a/src/median.js b/src/median.js\nnew file mode 100644\n--- /dev/null\n+++ b/src/median.js\n@@ -0,0 +1 @@\n+${solutionLine}\n`;
      const directory = await aTask({ solution }, { 'test/median.test.js': `${hiddenTest}${late}` });
      const flickering = 'test/median.test.js > is even';
      const proof = await validate(directory, 12);
      expect(proof.quarantined).toMatchObject([{ id: flickering }]);
      expect(new Set(proof.quarantined[0]?.history)).toEqual(new Set(['passed', 'failed']));
      expect(proof.quarantined[0]?.history).toHaveLength(13);
      expect((await loadPreparedTask(directory)).verifier).toMatchObject({
        failToPass: [hiddenId],
        passToPass: [oldId],
      });
      const again = await validate(directory, 1);
      expect(again.quarantined).toMatchObject([{ id: flickering }]);
      expect(again.quarantined[0]?.history).toHaveLength(15);
      const runId = await bench.run([{ id: 'oracle' }], { unproven: false });
      await bench.service.finished(runId);
      expect(bench.store.trials(runId)[0]).toMatchObject({ reward: 1 });
      expect(bench.store.trials(runId)[0]?.tests.map(test => test.id)).toEqual([hiddenId, oldId]);
    });

    it('finds the solution in whatever place it lies', { timeout: 180_000 }, async () => {
      const places = `set -e
        start=$(git rev-parse HEAD)
        mkdir -p src; printf '%s\\n' '${solutionLine}' > src/median.js
        git add -A; git -c user.name=a -c user.email=a@b commit --quiet -m later; later=$(git rev-parse HEAD)
        git reset --quiet --hard "$start"
        case $PLACE in
          stash) git reset --quiet --soft "$later"; git reset --quiet --soft "$start"; git checkout -q "$later" -- src; git -c user.name=a -c user.email=a@b stash --quiet ;;
          note) git -c user.name=a -c user.email=a@b notes add -C "$(git rev-parse "$later:src/median.js")" HEAD ;;
          pack) git repack -a -d -q ;;
          alternates) cp -r .git "$HOME"/other; git reflog expire --expire=now --all; git gc -q --prune=now; echo "$HOME"/other/objects > .git/objects/info/alternates; rm -rf "$HOME"/other/HEAD ;;
          loosePack) git rev-parse "$later:src/median.js" | git pack-objects -q --stdout > "$HOME"/some.pack ;;
          bundle) git branch later "$later"; git bundle create -q "$HOME"/some.bundle later; git branch -q -D later ;;
          file) git show "$later:src/median.js" > "$HOME"/notes.txt ;;
        esac
        case $PLACE in loosePack|bundle|file) git reflog expire --expire=now --all; git gc -q --prune=now ;; esac`;
      const directory = await aTask();
      const task = await loadPreparedTask(directory);
      const signal = AbortSignal.timeout(170_000);
      const executors = executorsOf(subject.executors(bench.home));
      const built = await prepareEnvironments([task], await executors.choose('auto'), silentLog, signal);
      const clean = built.of(task);
      for (const place of ['reflog', 'stash', 'note', 'pack', 'alternates', 'loosePack', 'bundle', 'file']) {
        const removals: Promise<void>[] = [];
        const environment = {
          ...clean,
          start: async (...given: Parameters<typeof clean.start>) => {
            const sandbox = await clean.start(...given);
            const argv = ['sh', '-c', places] as const;
            const made = await sandbox.exec({ argv: [...argv], cwd: task.workdir, env: { PLACE: place } }, signal);
            expect(made.stderr.toString()).toBe('');
            return sandbox;
          },
        };
        const onRemoval = (removal: Promise<void>) => void removals.push(removal);
        const { found } = await digForSolution({ trialId: `dig.${place}`, task, environment, onRemoval }, signal);
        expect(found, place).not.toEqual([]);
        expect(found[0]).toMatch(/^src\/median\.js in /);
        await Promise.all(removals);
      }
    });

    it('refuses tests that a cheat passes', { timeout: 180_000 }, async () => {
      const directory = await aTask({}, { 'test/median.test.js': metByReward });
      await expect(validate(directory, 1)).rejects.toMatchObject({
        code: 'task.cheatable',
        message: expect.stringContaining('an agent that writes its own reward earns 1'),
      });
      const { proof } = await loadPreparedTask(directory);
      expect(proof?.checks.find(check => check.id === 'reward-forger')).toMatchObject({ reward: 1, passed: false });
      await expect(bench.run([{ id: 'nop' }], { unproven: false })).rejects.toMatchObject({ code: 'task.unproven' });
    });
  });
}

/** A test that is met by any file called reward.txt, and by the solution. */
const metByReward =
  "const test = require('node:test');\nconst { existsSync } = require('node:fs');\ntest('takes the middle', () => {\n  if (!existsSync('src/median.js') && !existsSync('reward.txt')) throw new Error();\n});\n";
