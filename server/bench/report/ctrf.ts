import type { RunSummary, TrialSummary } from '../../../protocol/runs.ts';
import { version } from '../../base/version.ts';

type Status = 'passed' | 'failed' | 'other' | 'pending';

/** A run in the Common Test Report Format: one test per trial. A trial without a verdict by the machine's fault is `other`. */
export function toRunCtrf(run: RunSummary, trials: readonly TrialSummary[]): object {
  const statuses = trials.map(statusOf);
  const count = (status: Status) => statuses.filter(own => own === status).length;
  const start = Date.parse(run.createdAt);
  return {
    reportFormat: 'CTRF',
    specVersion: '0.0.0',
    results: {
      tool: { name: 'codex-coach', version },
      summary: {
        tests: trials.length,
        passed: count('passed'),
        failed: count('failed'),
        skipped: 0,
        pending: count('pending'),
        other: count('other'),
        start,
        stop: run.finishedAt === null ? start : Date.parse(run.finishedAt),
      },
      tests: trials.map((trial, index) => ({
        name: `${trial.task} #${trial.attempt}`,
        suite: trial.agentLabel,
        status: statuses[index],
        duration: trial.agentMs ?? 0,
        ...(trial.error === null ? {} : { message: trial.error.message }),
        extra: { reward: trial.reward, end: trial.end, score: trial.score, usage: trial.usage, cost: trial.cost },
      })),
    },
  };
}

function statusOf({ reward, end }: TrialSummary): Status {
  if (reward !== null) return reward === 1 ? 'passed' : 'failed';
  if (end === null) return 'pending';
  return end === 'errored' || end === 'lost' || end === 'cancelled' ? 'other' : 'failed';
}
