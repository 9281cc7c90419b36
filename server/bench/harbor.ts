import { pathToFileURL } from 'node:url';
import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import { toIso } from '../base/clock.ts';
import { meanReward } from './score.ts';
import type { TestOutcome } from './testReports.ts';

/** Dataset of tasks that belong to none, as Harbor names it. */
const dataset = 'adhoc';

/** `result.json` of a trial as Harbor 0.20 writes it. Input tokens include cached ones. */
export function toHarborTrial(trial: TrialSummary): object {
  const [provider, model] = splitModel(trial.agent.model);
  return {
    id: trial.id,
    task_name: trial.task,
    trial_name: `${trial.task}__${trial.agentLabel}__${trial.attempt}`,
    trial_uri: pathToFileURL(trial.directory).href,
    task_id: { path: trial.task },
    source: null,
    config: { agent: { name: trial.agent.id, model_name: trial.agent.model } },
    agent_info: {
      name: trial.agent.id,
      version: trial.agentVersion ?? 'unknown',
      model_info: model === null ? null : { name: model, provider },
    },
    agent_result: {
      n_input_tokens: trial.usage.inputTokens,
      n_cache_tokens: trial.usage.cachedInputTokens,
      n_output_tokens: trial.usage.outputTokens,
      cost_usd: trial.cost.amountUsd,
    },
    verifier_result: trial.reward === null ? null : { rewards: { reward: trial.reward } },
    exception_info: exceptionOf(trial),
    started_at: trial.startedAt,
    finished_at: trial.finishedAt,
    ...phaseSpans(trial),
  };
}

/** `result.json` of a run, in the shape of Harbor's job result. */
export function toHarborJob(run: RunSummary, trials: readonly TrialSummary[], now: string): object {
  const labels = [...new Set(trials.map(trial => trial.agentLabel))];
  const count = (matches: (trial: TrialSummary) => boolean) => trials.filter(matches).length;
  return {
    id: run.id,
    started_at: run.createdAt,
    updated_at: now,
    finished_at: run.finishedAt,
    n_total_trials: trials.length,
    stats: {
      n_completed_trials: count(trial => trial.phase === 'done'),
      n_errored_trials: run.trialCounts.errored,
      n_running_trials: count(trial => trial.phase !== 'done' && trial.phase !== 'queued'),
      n_pending_trials: count(trial => trial.phase === 'queued'),
      n_cancelled_trials: count(trial => trial.end === 'cancelled'),
      n_input_tokens: run.usage.inputTokens,
      n_cache_tokens: run.usage.cachedInputTokens,
      n_output_tokens: run.usage.outputTokens,
      cost_usd: run.cost.amountUsd,
      evals: Object.fromEntries(
        labels.map(label => [`${label}__${dataset}`, evalOf(trials.filter(trial => trial.agentLabel === label))]),
      ),
    },
  };
}

/** Test outcomes in the Common Test Report Format (ctrf.io). */
export function toCtrf(outcomes: readonly TestOutcome[]): object {
  const count = (status: TestOutcome['status']) => outcomes.filter(outcome => outcome.status === status).length;
  return {
    reportFormat: 'CTRF',
    specVersion: '0.0.0',
    results: {
      tool: { name: 'codex-coach' },
      summary: {
        tests: outcomes.length,
        passed: count('passed'),
        failed: count('failed'),
        skipped: count('skipped'),
        pending: 0,
        other: 0,
        start: 0,
        stop: 0,
      },
      tests: outcomes.map(({ id, status, durationMs, message }) => ({
        name: id,
        status,
        duration: durationMs ?? 0,
        ...(message === null ? {} : { message }),
      })),
    },
  };
}

/** When each phase started and finished: they follow each other without a gap. */
function phaseSpans({ startedAt, buildMs, agentMs, verifyMs }: TrialSummary): object {
  let at = startedAt === null ? null : Date.parse(startedAt);
  const span = (durationMs: number | null) => {
    if (at === null || durationMs === null) return null;
    const started_at = toIso(at);
    at += durationMs;
    return { started_at, finished_at: toIso(at) };
  };
  return { environment_setup: span(buildMs), agent_execution: span(agentMs), verifier: span(verifyMs) };
}

function evalOf(trials: readonly TrialSummary[]): object {
  const judged = trials.filter(trial => trial.reward !== null);
  const rewards = Object.groupBy(judged, trial => String(trial.reward));
  return {
    n_trials: trials.length,
    n_errors: trials.filter(trial => trial.end === 'errored').length,
    metrics: [{ mean: meanReward(trials.map(trial => trial.reward)) }],
    reward_stats: {
      reward: Object.fromEntries(
        Object.entries(rewards).map(([reward, group]) => [reward, group?.map(({ id }) => id)]),
      ),
    },
  };
}

function exceptionOf({ error, end, finishedAt }: TrialSummary): object | null {
  if (error === null && end === 'verified') return null;
  return {
    exception_type: error?.code ?? end,
    exception_message: error?.message ?? end,
    exception_traceback: '',
    occurred_at: finishedAt,
  };
}

/** `provider/model` as its parts; the provider is unknown where none is given. */
function splitModel(model: string | null): [string | null, string | null] {
  const slash = model?.indexOf('/') ?? -1;
  return model === null || slash < 0 ? [null, model] : [model.slice(0, slash), model.slice(slash + 1)];
}
