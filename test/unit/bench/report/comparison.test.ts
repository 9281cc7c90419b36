import { describe, expect, it } from 'vitest';
import { Comparison } from '../../../../protocol/comparison.ts';
import type { TrialSummary } from '../../../../protocol/runs.ts';
import { compareRuns, compareTrials } from '../../../../server/bench/report/comparison.ts';
import { scatter } from '../../../../server/bench/report/scatter.ts';
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

  it('keeps an agent of two runs apart', () => {
    const before = trialsOf('codex', ['0'], null, 'r1');
    const after = [...trialsOf('codex', ['1'], null, 'r2'), ...trialsOf('nop', ['0'], null, 'r2')];
    expect(compareRuns([before, after]).agents.map(agent => agent.label)).toEqual(['codex (r2)', 'codex (r1)', 'nop']);
    expect(compareRuns([after]).agents[0]?.label).toBe('codex');
  });
});
