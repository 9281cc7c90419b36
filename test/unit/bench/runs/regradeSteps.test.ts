import { describe, expect, it } from 'vitest';
import { CoachError } from '../../../../protocol/errors.ts';
import type { StepVerdict } from '../../../../protocol/runs.ts';
import { type LeftSteps, regradeSteps } from '../../../../server/bench/runs/regradeSteps.ts';
import type { PreparedTask, TaskStep, TaskSteps } from '../../../../server/tasks/preparedTask.ts';

const signal = new AbortController().signal;

const aStep = (name: string, least?: number): TaskStep => ({
  ...{ name, minRewards: least === undefined ? {} : { reward: least }, workdirFiles: null },
  task: { name } as PreparedTask,
});
const three: TaskSteps = { strategy: 'mean', each: [aStep('a', 0.5), aStep('b', 0.5), aStep('c')] };

const was = (name: string, reward: number | null, end: StepVerdict['end'] = 'verified'): StepVerdict => ({
  ...{ name, end, reward, rewards: {} },
});

/** Judges what is left by these rewards; a step without one can't be judged by its verifier. */
async function regrade(
  done: readonly StepVerdict[],
  rewards: Readonly<Record<string, number>>,
  more: { unjudged?: LeftSteps['unjudged']; gone?: string; task?: TaskSteps } = {},
) {
  const judged: string[] = [];
  const { unjudged = null, gone, task = three } = more;
  const found = await regradeSteps(
    {
      trial: { id: 'run.1', steps: [...done] },
      unjudged,
      patchOf: async step => (step === gone ? null : Buffer.from(`change of ${step}`)),
    },
    task,
    async ({ name }, patch, number) => {
      judged.push(`${number} ${patch}`);
      const reward = rewards[name];
      if (reward === undefined) throw new CoachError('verifier.failed', 'The tests could not be run.');
      return { reward, rewards: { speed: reward } };
    },
    signal,
  );
  const steps = found.steps.map(({ name, before, after }) => [name, before, after]);
  return { judged, steps, after: found.after, code: found.error?.code ?? null, why: found.error?.message ?? '' };
}

describe('a trial of a task in steps that is judged again', () => {
  it('has each step judged by what was kept at its end', async () => {
    const all = [was('a', 1), was('b', 1), was('c', 0)];
    expect(await regrade(all, { a: 1, b: 0.5, c: 1 })).toEqual({
      judged: ['1 change of a', '2 change of b', '3 change of c'],
      ...{ steps: [...[['a', 1, 1]], ['b', 1, 0.5], ['c', 0, 1]], after: 2.5 / 3, code: null, why: '' },
    });
    const last = await regrade(all, { a: 1, b: 0.5, c: 1 }, { task: { ...three, strategy: 'final' } });
    expect(last.after).toBe(1);
  });

  it('ends where a step falls below its smallest reward now; those behind it count no more', async () => {
    const { steps, judged, after, code } = await regrade([was('a', 1), was('b', 1), was('c', 1)], { a: 0.2 });
    expect(judged).toEqual(['1 change of a']);
    expect(steps).toEqual([
      ['a', 1, 0.2],
      ['b', 1, null],
      ['c', 1, null],
    ]);
    expect({ after, code }).toEqual({ after: 0.2, code: null });
  });

  it('has no verdict where a step would be reached now that was never worked on', async () => {
    const { steps, after, code, why } = await regrade([was('a', 0)], { a: 1 });
    expect(steps).toEqual([
      ['a', 0, 1],
      ['b', null, null],
    ]);
    expect({ after, code }).toEqual({ after: null, code: 'verifier.failed' });
    expect(why).toBe('1 of 3 steps can’t be judged again. b: it was never worked on to its end.');
  });

  it('stays below the smallest reward without a word on the steps that it did not reach', async () => {
    expect(await regrade([was('a', 0)], { a: 0.1 })).toMatchObject({ steps: [['a', 0, 0.1]], after: 0.1, code: null });
  });

  it('stops behind an agent that met a limit, as the trial did', async () => {
    expect(await regrade([was('a', 1, 'timedOut')], { a: 1 })).toMatchObject({ steps: [['a', 1, 1]], after: 1 });
  });

  it('names every step that can’t be judged, judges the others, and has no verdict', async () => {
    const { judged, steps, after, why } = await regrade([was('a', 1), was('b', 1), was('c', null)], { b: 1 });
    expect(judged).toEqual(['1 change of a', '2 change of b']);
    expect(steps).toEqual([
      ['a', 1, null],
      ['b', 1, 1],
      ['c', null, null],
    ]);
    expect(after).toBeNull();
    expect(why).toBe(
      '2 of 3 steps can’t be judged again. a: The tests could not be run.; c: its agent came to nothing that could be judged.',
    );
  });

  it.each(['mean', 'final'] as const)('has no verdict (%s) where the change of a step is gone', async strategy => {
    const all = [was('a', 1), was('b', 1), was('c', 1)];
    const { after, why } = await regrade(all, { a: 1, b: 1, c: 1 }, { gone: 'b', task: { ...three, strategy } });
    expect(after).toBeNull();
    expect(why).toContain('b: steps/b/diff.patch of run.1 is gone.');
  });

  it('judges work that its own verifier never came to', async () => {
    const found = await regrade([was('a', 1)], { a: 1, b: 0.25 }, { unjudged: 'verified' });
    expect(found).toMatchObject({ after: 0.625, code: null });
    expect(found.judged).toEqual(['1 change of a', '2 change of b']);
  });

  it('is not judged by the tests of another step', async () => {
    const { after, why } = await regrade([was('a', 1), was('other', 1)], { a: 1, b: 1 });
    expect(after).toBeNull();
    expect(why).toContain('b: it was other when the trial ran');
  });
});
