import type { RunPlan, TrialSummary } from '../../../protocol/runs.ts';
import { wholeUsd } from '../../../protocol/usage.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { median } from '../statistics/estimate.ts';
import { type JudgeSettings, parseJudge } from './judgeChoice.ts';

/**
 * The plan of a run with what its judge adds: so many questions, and their cost by what the same judge has cost for trials of
 * the same tasks. What has no precedent is unknown, not free.
 * @param due trials that are run and not reused
 */
export function withJudge(
  plan: RunPlan,
  due: readonly TrialSummary[],
  tasks: readonly PreparedTask[],
  { judge, votes }: JudgeSettings,
  earlier: readonly TrialSummary[],
): RunPlan {
  const choice = parseJudge(judge);
  const criteriaOf = (task: string) => tasks.find(({ name }) => name === task)?.rubric?.criteria.length ?? 0;
  const judged = due.filter(({ task }) => criteriaOf(task) > 0);
  if (judged.length === 0) return plan;
  if (choice.kind === 'none') return { ...plan, unjudged: [...new Set(judged.map(({ task }) => task))] };
  const questions = judged.reduce((sum, { task }) => sum + criteriaOf(task) * votes, 0);
  const mayCost = choice.kind === 'model';
  const costs = judged.map(({ task }) => (mayCost ? median(costsOf(earlier, task, choice.name)) : 0));
  const costUsd = costs.reduce((sum: number | null, cost) => (sum === null || cost === null ? null : sum + cost), 0);
  return {
    ...plan,
    judge: { name: choice.name, questions, costUsd },
    costUsd: plan.costUsd === null || costUsd === null ? null : plan.costUsd + costUsd,
    mayCost: plan.mayCost || mayCost,
  };
}

function costsOf(earlier: readonly TrialSummary[], task: string, judge: string): number[] {
  return earlier
    .filter(trial => trial.task === task && trial.score?.rubric?.judge === judge && trial.reusedFrom === undefined)
    .flatMap(({ score }) => (score?.rubric ? (wholeUsd(score.rubric.cost) ?? []) : []));
}
