import type { RunPlan, TrialSummary } from '../../../protocol/runs.ts';
import { wholeUsd } from '../../../protocol/usage.ts';
import { routeOf } from '../../agents/agent.ts';
import { median } from '../statistics/estimate.ts';
import type { PlannedAgent } from './plan.ts';

interface Planned {
  readonly executor: string;
  readonly agents: readonly PlannedAgent[];
  readonly trials: readonly TrialSummary[];
  readonly concurrency: number;
  /** Ids of trials that are not run again. */
  readonly reused: ReadonlyMap<string, unknown>;
  readonly keys: Readonly<Record<string, string | undefined>>;
}

/**
 * What a run comes to by earlier trials of the same agent and model: those of the same task where there are any, else
 * those of all tasks. What has no precedent is unknown, not free.
 */
export function estimate(planned: Planned, earlier: readonly TrialSummary[]): RunPlan {
  const agents = planned.agents.map(({ agent, choice, label }) => {
    const due = planned.trials.filter(trial => trial.agentLabel === label && !planned.reused.has(trial.id));
    const model = choice.model ?? agent.defaultModel;
    const like = earlier.filter(
      trial => trial.agent.id === agent.id && trial.agent.model === model && trial.reusedFrom === undefined,
    );
    const { keyName } = routeOf(agent, choice.model);
    const hasKey = keyName !== null && planned.keys[keyName] !== undefined;
    const mayCost = agent.kind === 'program' && choice.replay === null && hasKey;
    const money = (trial: TrialSummary) => wholeUsd(trial.cost);
    return {
      label,
      trials: due.length,
      mayCost,
      costUsd: mayCost ? sumOfMedians(due, like, money) : 0,
      agentMs: sumOfMedians(due, like, trial => trial.agentMs),
      basis: like.length,
    };
  });
  const ms = total(agents.filter(agent => agent.trials > 0).map(agent => agent.agentMs));
  return {
    executor: planned.executor,
    trials: planned.trials.length,
    reused: planned.reused.size,
    agents,
    costUsd: total(agents.map(agent => agent.costUsd)),
    wallMs: ms === null ? null : ms / Math.max(1, Math.min(planned.concurrency, planned.trials.length)),
    mayCost: agents.some(agent => agent.mayCost && agent.trials > 0),
  };
}

function sumOfMedians(
  due: readonly TrialSummary[],
  like: readonly TrialSummary[],
  figure: (trial: TrialSummary) => number | null,
): number | null {
  return total(
    due.map(({ task }) => {
      const known = (trials: readonly TrialSummary[]) => trials.flatMap(trial => figure(trial) ?? []);
      const ofTask = known(like.filter(trial => trial.task === task));
      return median(ofTask.length > 0 ? ofTask : known(like));
    }),
  );
}

function total(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>((sum, value) => (sum === null || value === null ? null : sum + value), 0);
}
