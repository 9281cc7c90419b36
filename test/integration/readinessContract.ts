import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../server/base/log.ts';
import { runPresentTests } from '../../server/bench/verifier/presentTests.ts';
import { executorsOf } from '../../server/executors/index.ts';
import { loadPreparedTask } from '../../server/tasks/format.ts';
import { taskHandlers } from '../../server/tasks/handlers.ts';
import { temporaryDirectory } from '../temporary.ts';
import { taskDeps } from '../unit/tasks/aSession.ts';
import type { BenchSubject } from './benchContract.ts';
import { startFiles } from './benchFixture.ts';
import { runGit, writeFiles } from './executorsFixture.ts';

/** What `task check --tests` says of a repository; registered once per executor. */
export function readinessContract(subject: BenchSubject): void {
  describe(`the tests of a repository as it is, in ${subject.name} sandboxes`, () => {
    function aRepository(): { root: string; testsNow: () => Promise<{ severity: string; message: string }> } {
      const root = join(temporaryDirectory(), 'numbers');
      writeFiles(root, startFiles);
      runGit(root, 'init', '--quiet');
      runGit(root, 'add', '--all');
      runGit(root, 'commit', '--quiet', '--message', 'Start');
      const executors = executorsOf(subject.executors(temporaryDirectory()));
      const handlers = taskHandlers(
        taskDeps({
          runTests: async (directory, executor, signal) =>
            runPresentTests(await loadPreparedTask(directory), executor, { executors, log: silentLog }, signal),
        }),
      );
      const testsNow = async () => {
        const spec = { repository: root, tests: true, executor: 'auto' };
        const { findings } = await handlers.check(spec, AbortSignal.timeout(120_000));
        return findings.find(({ id }) => id === 'testsNow') ?? { severity: 'none', message: '' };
      };
      return { root, testsNow };
    }

    it('are run with what is not committed yet, and leave the repository as it was', { timeout: 120_000 }, async () => {
      const { root, testsNow } = aRepository();
      expect(await testsNow()).toMatchObject({ severity: 'ok', message: '1 test passed.' });
      writeFileSync(join(root, 'src', 'add.js'), 'exports.add = (a, b) => a - b;\n');
      const status = () => execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
      const before = status();
      expect(await testsNow()).toMatchObject({
        severity: 'warning',
        message: '1 of 1 test failed before anything is changed: test/add.test.js > adds.',
      });
      expect(status()).toBe(before);
      expect(subject.leftovers()).toEqual([]);
    });

    it('are said not to have ended well where they leave no report', { timeout: 120_000 }, async () => {
      const { root, testsNow } = aRepository();
      writeFileSync(join(root, 'test', 'add.test.js'), "process.kill(process.ppid, 'SIGKILL');\n");
      const { severity, message } = await testsNow();
      expect(severity).toBe('warning');
      expect(message).toMatch(/^The tests ended with exit code \d+ and left no report\.$/);
    });
  });
}
