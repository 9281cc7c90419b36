import { describe, expect, it } from 'vitest';
import { Comparison } from '../../../../protocol/comparison.ts';
import type { TrialSummary } from '../../../../protocol/runs.ts';
import { compareRuns, compareTrials } from '../../../../server/bench/report/comparison.ts';
import { scatter } from '../../../../server/bench/report/scatter.ts';
import { mcnemar } from '../../../../server/bench/statistics/paired.ts';
import { aTrial } from '../../../fakes/scriptedRun.ts';

/** Rewards by task, one digit per attempt: `1` passed, `0` failed, `-` no verdict. */
function trialsOf(label: string, tasks: readonly string[], costUsd: number | null, runId = 'r1'): TrialSummary[] {
  return tasks.flatMap((attempts, task) =>
    [...attempts].map((mark, index) =>
      aTrial({
        id: `${runId}-${label}-${task}-${index}`,
        runId,
        task: `task-${task}`,
        agent: { id: 'codex', model: null, label, command: null, replay: null },
        agentLabel: label,
        attempt: index + 1,
        phase: 'done',
        end: mark === '-' ? 'errored' : 'verified',
        reward: mark === '-' ? null : Number(mark),
        cost: costUsd === null ? { amountUsd: null, kind: 'unpriced' } : { amountUsd: costUsd, kind: 'priced' },
      }),
    ),
  );
}

const solved = (count: number, of: number) => Array.from({ length: of }, (_, index) => (index < count ? '1' : '0'));

/** A run of one morning, in local time. */
const runAt = (id: string, hour: number, minute: number, day = 22) => ({
  id,
  createdAt: new Date(2026, 10, day, hour, minute, 25).toISOString(),
});

describe('a comparison', () => {
  it('says who is better when the tasks prove it', () => {
    const comparison = compareTrials([
      ...trialsOf('weak', solved(3, 20), 0.1),
      ...trialsOf('strong', solved(18, 20), 1),
    ]);
    expect(Comparison.parse(comparison)).toEqual(comparison);
    expect(comparison.pairs).toMatchObject([
      {
        first: 'strong',
        second: 'weak',
        better: 15,
        worse: 0,
        equal: 5,
        isEnough: true,
        test: 'mcnemar',
        moreTasks: 0,
      },
    ]);
    expect(comparison.summary[0]).toBe(
      'strong did best: reward 0.90 (95 % interval 0.70 to 0.97) over 20 verdicts on 20 tasks, better than weak on 15 of 20 tasks (p < 0.001).',
    );
    expect(comparison.summary[1]).toBe('weak reaches 17 % of its reward at 10 % of its cost per trial.');
  });

  it('takes no known part of a cost for the cost', () => {
    const { agents, summary } = compareTrials([
      ...trialsOf('priced', solved(18, 20), 1),
      ...trialsOf('mixed', solved(3, 19), 0.1),
      ...trialsOf('mixed', ['1'], null, 'r2'),
    ]);
    const { costPerTrial, isOnFront } = agents.find(agent => agent.label === 'mixed') ?? {};
    expect({ costPerTrial, isOnFront }).toEqual({
      costPerTrial: { amountUsd: null, kind: 'unpriced' },
      isOnFront: null,
    });
    expect(summary.join(' ')).not.toContain('of its cost');
  });

  it('of controls alone says that they are that, and what is missing', () => {
    const control = (id: string, mark: string) =>
      trialsOf(id, [mark], null).map(trial => ({ ...trial, agent: { ...trial.agent, id } }));
    expect(compareTrials([...control('oracle', '111'), ...control('nop', '000')]).summary).toEqual([
      'Only controls have run. Run an agent to have something to compare.',
      'The reference solution scored 1.00 and changing nothing scored 0.00, as it must be.',
    ]);
    expect(compareTrials(trialsOf('a', ['-'], null)).summary[0]).toBe(
      'No agent reached a verdict, so there is nothing to compare.',
    );
  });

  it('says when there is not enough evidence, and how much more would do', () => {
    const { pairs, summary } = compareTrials([
      ...trialsOf('a', solved(7, 10), null),
      ...trialsOf('b', solved(5, 10), null),
    ]);
    expect(pairs).toMatchObject([{ isEnough: false, pValue: 0.5, better: 2, worse: 0 }]);
    expect(summary[1]).toMatch(
      /^Not enough evidence that it is better than b: the difference of 0.20 could be chance \(p = 0.50\), and about \d+ more tasks would settle it if the difference holds\.$/,
    );
  });

  it('corrects for the number of pairs it shows', () => {
    const best = trialsOf('best', solved(6, 6), null);
    const other = (label: string) => trialsOf(label, solved(0, 6), null);
    expect(compareTrials([...best, ...other('b')]).pairs).toMatchObject([{ pValue: 2 / 64, isEnough: true }]);
    const three = compareTrials([...best, ...other('b'), ...other('c'), ...other('d')]);
    expect(three.pairs.map(pair => [pair.pValue, pair.isEnough])).toEqual(Array(3).fill([6 / 64, false]));
  });

  it('leaves machine faults out, and compares only what both were judged on', () => {
    const comparison = compareTrials([
      ...trialsOf('a', ['1-', '-', '1'], null),
      ...trialsOf('b', ['0', '1', '-'], null),
    ]);
    expect(comparison.agents[0]).toMatchObject({ label: 'a', verdicts: 2, trials: 4, failures: { errored: 2 } });
    expect(comparison.pairs).toMatchObject([{ tasks: 1, better: 1, worse: 0, equal: 0 }]);
  });

  it('finds the front of what is cheap and good', () => {
    const { agents } = compareTrials([
      ...trialsOf('dear', solved(9, 10), 1),
      ...trialsOf('cheap', solved(5, 10), 0.1),
      ...trialsOf('wasteful', solved(4, 10), 0.5),
      ...trialsOf('unknown', solved(10, 10), null),
    ]);
    expect(Object.fromEntries(agents.map(agent => [agent.label, agent.isOnFront]))).toEqual({
      dear: true,
      cheap: true,
      wasteful: false,
      unknown: null,
    });
    const plot = scatter(agents);
    expect(plot.match(/class="point on"/g)).toHaveLength(2);
    expect(plot).toContain('the Pareto front is dear and cheap');
    expect(scatter(agents.slice(0, 1))).toBe('');
  });

  it('puts tasks first that agents disagree on', () => {
    const { tasks } = compareTrials([
      ...trialsOf('a', ['11', '10', '11'], null),
      ...trialsOf('b', ['11', '00', '00'], null),
    ]);
    expect(tasks.map(task => task.task)).toEqual(['task-2', 'task-1', 'task-0']);
    expect(tasks[0]?.attempts[0]).toEqual([
      { trialId: 'r1-a-2-0', reward: 1, end: 'verified' },
      { trialId: 'r1-a-2-1', reward: 1, end: 'verified' },
    ]);
  });

  it('keeps an agent of two runs apart by when they began, and says which run each is of', () => {
    const before = { run: runAt('r1', 5, 41), trials: trialsOf('codex', ['0'], null, 'r1') };
    const after = {
      run: runAt('r2', 5, 43),
      trials: [...trialsOf('codex', ['1'], null, 'r2'), ...trialsOf('nop', ['0'], null, 'r2')],
    };
    const { agents } = compareRuns([before, after]);
    expect(agents.map(({ label, runName, runId }) => [label, runName, runId])).toEqual([
      ['codex 05:43', '05:43', 'r2'],
      ['codex 05:41', '05:41', 'r1'],
      ['nop', null, 'r2'],
    ]);
    expect(compareRuns([after]).agents[0]?.label).toBe('codex');
  });

  it('keeps what the controls say, however often they stand there', () => {
    const control = (id: string, mark: string, runId: string) =>
      trialsOf(id, [mark], null, runId).map(trial => ({ ...trial, agent: { ...trial.agent, id } }));
    const both = (second: string) =>
      compareRuns([
        { run: runAt('r1', 5, 41), trials: [...control('oracle', '1', 'r1'), ...control('nop', '0', 'r1')] },
        { run: runAt('r2', 5, 43), trials: control('oracle', second, 'r2') },
      ]).summary.at(-1);
    expect(both('1')).toBe('The reference solution scored 1.00 and changing nothing scored 0.00, as it must be.');
    expect(both('0')).toBe(
      'The reference solution scored 1.00 (oracle 05:41), 0.00 (oracle 05:43) and changing nothing scored 0.00, so the tasks or the sandbox are not sound.',
    );
  });
});

describe('a comparison with reused verdicts', () => {
  const first = { run: runAt('r1', 5, 41), trials: trialsOf('codex', solved(10, 12), null, 'r1') };
  /** The run of all tasks again, with the verdicts of so many taken from the first. */
  const again = (reused: number) => ({
    run: runAt('r2', 5, 43),
    trials: trialsOf('codex', solved(3, 12), null, 'r2').map((trial, task) =>
      task < reused
        ? { ...trial, reward: first.trials[task]?.reward ?? null, reusedFrom: first.trials[task]?.id ?? '' }
        : trial,
    ),
  });

  it('pairs no trial with itself, and names whose verdict it is', () => {
    const comparison = compareRuns([first, again(4)]);
    expect(Comparison.parse(comparison)).toEqual(comparison);
    // Without the 4 ties that nobody observed: 6 of 8 tasks.
    expect(comparison.pairs).toMatchObject([{ tasks: 8, better: 6, worse: 0, equal: 2, difference: 0.75 }]);
    expect(comparison.agents.map(({ verdicts, shared }) => [verdicts, shared])).toEqual([
      [12, []],
      [12, [{ with: 'codex 05:41', verdicts: 4 }]],
    ]);
    expect(comparison.tasks.flatMap(({ attempts }) => attempts[1] ?? []).filter(mark => mark.sharedWith)).toHaveLength(
      4,
    );
    expect(comparison.summary).toContain(
      '4 of 12 verdicts of codex 05:43 are those of codex 05:41, reused; where the two are compared they count once.',
    );
  });

  it('ranks no agent by verdicts that are all of another one, in whatever order the runs are given', () => {
    const other = { run: runAt('r3', 5, 50), trials: trialsOf('claude', solved(1, 12), null, 'r3') };
    for (const runs of [
      [first, again(12), other],
      [again(12), other, first],
    ]) {
      const { agents, pairs, summary } = compareRuns(runs);
      expect(agents.map(({ label }) => label)).toEqual(['codex 05:41', 'claude', 'codex 05:43']);
      expect(pairs).toMatchObject([{ first: 'codex 05:41', second: 'claude', pValue: mcnemar(9, 0) }]);
      expect(summary[0]).toMatch(/^codex 05:41 did best/);
      expect(summary).toContain(
        'All 12 verdicts of codex 05:43 are those of codex 05:41, reused: the same evidence, which says nothing about a difference between the two.',
      );
    }
  });

  it('knows a verdict twice that two runs took from a third one', () => {
    const taken = (runId: string, minute: number) => ({
      run: runAt(runId, 6, minute),
      trials: first.trials.map(trial => ({ ...trial, id: `${runId}-${trial.id}`, runId, reusedFrom: trial.id })),
    });
    const { agents, pairs } = compareRuns([taken('r4', 1), taken('r5', 2)]);
    expect(pairs).toEqual([]);
    expect(agents.map(({ shared }) => shared)).toEqual([[], [{ with: 'codex 06:01', verdicts: 12 }]]);
    // Alone in the comparison, a reused verdict is one as any other.
    expect(compareRuns([taken('r4', 1)]).agents[0]).toMatchObject({ verdicts: 12, shared: [] });
  });
});
