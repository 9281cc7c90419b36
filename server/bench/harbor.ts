import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RunSummary, StepVerdict, TrialSummary } from '../../protocol/runs.ts';
import { wholeUsd } from '../../protocol/usage.ts';
import { toIso } from '../base/clock.ts';
import { passAtK } from './statistics/passRates.ts';
import type { TestOutcome } from './testReports/outcome.ts';
import { meanReward } from './verifier/score.ts';

/** Dataset of tasks that belong to none, as Harbor names it. */
const dataset = 'adhoc';

/** What a trial's files say about it besides the summary. */
export interface HarborContext {
  /** Directory name of the trial. */
  readonly trialName: string;
  readonly trialsDirectory: string;
  /** SHA-256 over the task's files; null where the task is not at hand. */
  readonly taskChecksum: string | null;
}

/** `config.json` of a trial. Real keys and what only our run knows are no part of it. */
export function toHarborTrialConfig(trial: TrialSummary, context: HarborContext): object {
  return {
    task: { path: trial.task },
    trial_name: context.trialName,
    trials_dir: context.trialsDirectory,
    timeout_multiplier: 1,
    agent: { name: trial.agent.id, import_path: null, model_name: trial.agent.model, kwargs: {}, env: {} },
    environment: { type: 'docker', force_build: false, delete: true, env: {}, kwargs: {} },
    verifier: { disable: false },
    artifacts: [],
    job_id: toUuid(trial.runId),
  };
}

/** `result.json` of a trial as Harbor 0.20 writes it. Input tokens include cached ones. */
export function toHarborTrial(trial: TrialSummary, context: HarborContext = ownContext(trial)): object {
  const [provider, model] = splitModel(trial.agent.model);
  return {
    id: toUuid(trial.id),
    task_name: trial.task,
    trial_name: context.trialName,
    trial_uri: pathToFileURL(join(context.trialsDirectory, context.trialName)).href,
    task_id: { path: trial.task },
    source: null,
    task_checksum: context.taskChecksum,
    config: toHarborTrialConfig(trial, context),
    agent_info: {
      name: trial.agent.id,
      version: trial.agentVersion ?? 'unknown',
      model_info: model === null ? null : { name: model, provider },
    },
    agent_result: {
      n_input_tokens: trial.usage.inputTokens,
      n_cache_tokens: trial.usage.cachedInputTokens,
      n_output_tokens: trial.usage.outputTokens,
      cost_usd: wholeUsd(trial.cost),
      rollout_details: null,
      metadata: null,
    },
    verifier_result: trial.reward === null ? null : { rewards: { reward: trial.reward } },
    // The agent's sandbox is gone before ours starts.
    verifier_environment_mode: 'separate',
    exception_info: exceptionOf(trial),
    started_at: trial.startedAt,
    finished_at: trial.finishedAt,
    ...phaseSpans(trial),
    step_results: trial.steps?.map(toStepResult) ?? null,
  };
}

/** A step as Harbor tells it; times and usage are kept for the trial as a whole. */
function toStepResult({ name, reward, rewards }: StepVerdict): object {
  return {
    ...{ step_name: name, agent_result: null, exception_info: null, agent_execution: null, verifier: null },
    verifier_result: reward === null ? null : { rewards: { ...rewards, reward } },
  };
}

/** A trial as it lies in the run's own directory. */
function ownContext({ directory }: TrialSummary): HarborContext {
  return { trialName: basename(directory), trialsDirectory: dirname(directory), taskChecksum: null };
}

/** An id of ours as the same UUID every time (RFC 9562, version 8: any hash). */
export function toUuid(id: string): string {
  const hex = createHash('sha256').update(id).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A trial's directory as Harbor names it: the task's name, at most 32 characters, and seven that tell trials apart. */
export function toHarborTrialName(trial: TrialSummary): string {
  return `${trial.task.slice(0, 32)}__${createHash('sha256').update(trial.id).digest('hex').slice(0, 7)}`;
}

/** `result.json` of a run, in the shape of Harbor's job result. */
export function toHarborJob(
  run: RunSummary,
  trials: readonly TrialSummary[],
  now: string,
  nameOf: (trial: TrialSummary) => string = trial => basename(trial.directory),
): object {
  const labels = [...new Set(trials.map(trial => trial.agentLabel))];
  const count = (matches: (trial: TrialSummary) => boolean) => trials.filter(matches).length;
  return {
    id: toUuid(run.id),
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
      n_retries: 0,
      n_input_tokens: run.usage.inputTokens,
      n_cache_tokens: run.usage.cachedInputTokens,
      n_output_tokens: run.usage.outputTokens,
      cost_usd: wholeUsd(run.cost),
      evals: Object.fromEntries(
        labels.map(label => [
          `${label}__${dataset}`,
          evalOf(
            trials.filter(trial => trial.agentLabel === label),
            nameOf,
          ),
        ]),
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
  return {
    environment_setup: span(buildMs),
    agent_setup: null,
    agent_execution: span(agentMs),
    verifier: span(verifyMs),
  };
}

function evalOf(trials: readonly TrialSummary[], nameOf: (trial: TrialSummary) => string): object {
  const judged = trials.filter(trial => trial.reward !== null);
  const namesBy = (group: readonly TrialSummary[], keyOf: (trial: TrialSummary) => string) =>
    Object.fromEntries(Object.entries(Object.groupBy(group, keyOf)).map(([key, some = []]) => [key, some.map(nameOf)]));
  return {
    n_trials: trials.length,
    n_errors: trials.filter(trial => trial.end === 'errored').length,
    metrics: [{ mean: meanReward(trials.map(trial => trial.reward)) }],
    pass_at_k: harborPassAtK(trials),
    reward_stats: { reward: namesBy(judged, trial => String(trial.reward)) },
    exception_stats: namesBy(
      trials.filter(trial => exceptionOf(trial) !== null),
      trial => trial.error?.code ?? trial.end ?? 'unknown',
    ),
  };
}

/**
 * As Harbor counts: k of 2, 4, 8, … and 5, 10, 15, … up to the fewest attempts of a task, no verdict is a failure, and nothing
 * at all where a reward is neither 0 nor 1.
 */
function harborPassAtK(trials: readonly TrialSummary[]): Record<string, number> {
  if (trials.some(({ reward }) => reward !== null && reward !== 0 && reward !== 1)) return {};
  const tasks = Object.values(Object.groupBy(trials, trial => trial.task)).map((attempts = []) => attempts);
  const fewest = Math.min(...tasks.map(attempts => attempts.length));
  const ks = Array.from({ length: Math.max(0, fewest - 1) }, (_, index) => index + 2);
  const counted = ks.filter(k => k % 5 === 0 || (k & (k - 1)) === 0);
  const rate = (k: number) =>
    tasks.reduce((sum, own) => sum + passAtK(own.length, own.filter(({ reward }) => reward === 1).length, k), 0) /
    tasks.length;
  return Object.fromEntries(counted.map(k => [String(k), rate(k)]));
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
