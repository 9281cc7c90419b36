import { expect, it } from 'vitest';
import type { RunPlan, TrialSummary } from '../../../protocol/runs.ts';
import { findAgent } from '../../../server/agents/index.ts';
import { estimate } from '../../../server/bench/runs/estimate.ts';
import { planAgents } from '../../../server/bench/runs/plan.ts';
import { planText } from '../../../server/surfaces/cli/planned.ts';
import { aTrial } from '../../fakes/scriptedRun.ts';

const codex = { id: 'codex', model: 'gpt-5.5', label: null, command: null, replay: null };
const agents = planAgents([codex, { ...codex, id: 'nop', model: null }], findAgent);
const planned = (task: string) =>
  agents.flatMap(({ label, choice }) =>
    [1, 2].map(attempt =>
      aTrial({ id: `${task}.${label}.${attempt}`, task, agent: choice, agentLabel: label, attempt }),
    ),
  );
const earlier = (task: string, amountUsd: number | null, agentMs: number): TrialSummary =>
  aTrial({
    ...{ task, agent: codex, phase: 'done', end: 'verified', reward: 1, agentMs },
    cost: amountUsd === null ? { amountUsd, kind: 'unpriced' } : { amountUsd, kind: 'priced' },
  });
const planOf = (known: readonly TrialSummary[], reused = new Map<string, unknown>()): RunPlan =>
  estimate(
    {
      ...{ executor: 'docker', agents, concurrency: 2, reused, keys: { OPENAI_API_KEY: 'sk-x' } },
      trials: [...planned('easy'), ...planned('hard')],
    },
    [...known, aTrial({ agent: { ...codex, id: 'nop', model: null }, phase: 'done', agentMs: 0 })],
  );

it('goes by the median of the same task, else of all, and adds up what is to be run', () => {
  const plan = planOf([earlier('easy', 0.1, 1000), earlier('easy', 0.3, 3000), earlier('other', 1, 9000)]);
  // Two of `easy` at 0.2, two of `hard` at the median of 0.1, 0.3 and 1.
  expect(plan).toMatchObject({ trials: 8, reused: 0, mayCost: true, costUsd: 2 * 0.2 + 2 * 0.3 });
  expect(plan.agents[0]).toMatchObject({ trials: 4, basis: 3, agentMs: 2 * 2000 + 2 * 3000 });
  expect(plan.wallMs).toBe(5000);
  expect(planText(plan)).toContain('Expected: $1.00');
});

it('calls unknown what has no earlier trials or no price, and counts nothing for what is reused', () => {
  expect(planOf([])).toMatchObject({ costUsd: null, wallMs: null });
  expect(planText(planOf([]))).toContain('Expected: unknown');
  expect(planOf([earlier('easy', null, 10)])).toMatchObject({ costUsd: null, mayCost: true });
  const reused = new Map([...planned('easy'), ...planned('hard')].map(({ id }) => [id, null]));
  const plan = planOf([], reused);
  expect(plan).toMatchObject({ reused: 8, mayCost: false, costUsd: 0, wallMs: 0 });
  expect(planText(plan)).toContain('0 trials to run in docker, 8 more taken from earlier runs');
});

it('names the tasks that nobody would judge', () => {
  expect(planText({ ...planOf([]), unjudged: ['easy'] })).toContain(
    'No judge is set, so trials end without a verdict by the rubric of easy.',
  );
  expect(planText(planOf([]))).not.toContain('judge');
});
