import { expect, it } from 'vitest';
import { checkPresentTests, type PresentTest } from '../../../server/tasks/readiness.ts';

const { signal } = new AbortController();

async function saidOf(...statuses: PresentTest['status'][]) {
  const tests = statuses.map((status, index) => ({ id: `test/a.js > ${index}`, status }));
  const { finding, error } = await checkPresentTests(async () => tests, signal);
  expect(error).toBeNull();
  return [finding.severity, finding.message];
}

it('says how many tests pass before a task is recorded', async () => {
  expect(await saidOf('passed', 'passed')).toEqual(['ok', '2 tests passed.']);
  expect(await saidOf('passed', 'skipped')).toEqual(['ok', '1 test passed, 1 skipped.']);
});

it('names what fails already, and a command that runs nothing', async () => {
  expect(await saidOf('passed', 'failed')).toEqual([
    'warning',
    '1 of 2 tests failed before anything is changed: test/a.js > 1.',
  ]);
  expect(await saidOf()).toEqual(['warning', 'The test command ran no test.']);
});

it('takes a sandbox that can’t run them for a finding, and a cancellation for none', async () => {
  const broken = () => Promise.reject(new Error('no sandbox'));
  expect((await checkPresentTests(broken, signal)).finding).toMatchObject({
    severity: 'warning',
    message: 'no sandbox',
  });
  await expect(checkPresentTests(broken, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
});
