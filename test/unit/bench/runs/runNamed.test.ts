import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../../server/base/clock.ts';
import { runNamed, trialNamed } from '../../../../server/bench/runs/runNamed.ts';
import { RunStore } from '../../../../server/bench/runs/runStore.ts';
import { aRun } from '../../../fakes/scriptedRun.ts';
import { temporaryDirectory } from '../../../temporary.ts';

function aStore(...ids: readonly string[]) {
  const store = new RunStore(join(temporaryDirectory(), 'coach.sqlite3'), systemClock);
  onTestFinished(() => store.dispose());
  for (const [at, id] of ids.entries()) {
    store.create(aRun({ id, createdAt: new Date(Date.UTC(2026, 0, 1 + at)).toISOString() }), [], '{}');
  }
  return store;
}

it('a run is meant by its id, by the beginning of it that it alone has, or as the latest', () => {
  const store = aStore('20260101-aaaa', '20260102-bbbb', '20260102-bbbb-2');
  expect(runNamed('20260102-bbbb', store)).toBe('20260102-bbbb');
  expect(runNamed('20260101', store)).toBe('20260101-aaaa');
  expect(runNamed('latest', store)).toBe('20260102-bbbb-2');
  expect(() => runNamed('2026', store)).toThrow(
    expect.objectContaining({
      code: 'input.invalid',
      message: 'More than one run begins with 2026.',
      hint: 'Give more of its id. They are: 20260102-bbbb-2, 20260102-bbbb, 20260101-aaaa',
    }),
  );
});

it('a run that is not there says what to give', () => {
  const refusal = (message: string, hint: string) =>
    expect.objectContaining({ code: 'run.missing', message, hint: expect.stringContaining(hint) });
  expect(() => runNamed('latest', aStore())).toThrow(refusal('There is no run yet.', 'codex-coach run <task>'));
  const store = aStore('20260101-aaaa');
  expect(() => runNamed('202', store)).toThrow(refusal('No run 202.', 'at least 4 characters'));
  expect(() => runNamed('another', store)).toThrow(refusal('No run another.', 'runs list'));
});

it('a trial is meant by the beginning of its run’s id and its number', () => {
  const store = aStore('20260101-aaaa', '20260102-bbbb');
  expect(trialNamed('20260101.3', store)).toBe('20260101-aaaa.3');
  expect(trialNamed('latest.1', store)).toBe('20260102-bbbb.1');
  for (const given of ['20260101-aaaa.3', 'another.3', 'latest', '.3', ''])
    expect(trialNamed(given, store)).toBe(given);
});
