import type { Handlers } from '../../protocol/api.ts';
import { CoachError } from '../../protocol/errors.ts';
import type { Regrade, runs, TrialSummary } from '../../protocol/runs.ts';
import { compareRuns } from './report/comparison.ts';
import { writeReport } from './report/write.ts';
import { type RegradeDeps, regradeRun } from './runs/regrade.ts';
import type { RunService } from './runs/runService.ts';
import type { RunStore } from './runs/runStore.ts';
import { exportRun } from './transfer/exportRun.ts';
import { changedFiles, fileOn } from './trials/trialView.ts';

export interface RunHandlerDeps extends RegradeDeps {
  readonly service: RunService;
  repositoryRoot(directory: string): Promise<string>;
}

export function runHandlers(deps: RunHandlerDeps): Handlers<typeof runs> {
  const { service, store, repositoryRoot, loadTask } = deps;
  const requireTrial = (trialId: string): TrialSummary => {
    const trial = store.trial(trialId);
    if (trial !== null) return trial;
    throw new CoachError('trial.missing', `No trial ${trialId}.`, { hint: 'See: codex-coach runs show <run>' });
  };
  const taskOf = (trial: TrialSummary) => loadTask(service.require(trial.runId).repository, trial.task);
  return {
    start: request => service.start(request),
    plan: request => service.plan(request),
    resume: ({ runId, keys }) => service.resume(runId, keys),
    regrade: async ({ runId, ...options }, signal) => ({
      rows: await regradeRun(service.require(runId), options, deps, signal),
    }),
    async list({ repository, limit }) {
      return { rows: store.list(limit, repository === undefined ? undefined : await repositoryRoot(repository)) };
    },
    show({ runId }) {
      const trials = store.trials(runId);
      return { run: service.require(runId), trials, regrades: latestRegrades(trials, store) };
    },
    events({ runId, after, limit }) {
      service.require(runId);
      return { events: store.events(runId, after, limit) };
    },
    cancel: ({ runId }) => service.cancel(runId),
    report: async ({ runId, format }) => ({
      file: await writeReport(
        service.require(runId),
        store.trials(runId),
        format,
        latestRegrades(store.trials(runId), store),
      ),
    }),
    async export({ runId, format, output }) {
      const run = service.require(runId);
      const trials = store.trials(runId).filter(trial => trial.phase === 'done');
      const known = (trial: TrialSummary) => taskOf(trial).catch(() => null);
      await exportRun({ run, trials, taskOf: known }, format, output);
      return { output, trials: trials.length };
    },
    compare: ({ runIds }) =>
      compareRuns([...new Set(runIds)].map(runId => ({ run: service.require(runId), trials: store.trials(runId) }))),
    async diff({ trialId }, signal) {
      const trial = requireTrial(trialId);
      return changedFiles(trial, await taskOf(trial), signal);
    },
    async file({ trialId, side, path }, signal) {
      const trial = requireTrial(trialId);
      const content = await fileOn(side, path, trial, await taskOf(trial), signal);
      return { contentBase64: content?.toString('base64') ?? null };
    },
  };
}

function latestRegrades(trials: readonly TrialSummary[], store: Pick<RunStore, 'regrades'>): Regrade[] {
  return trials.flatMap(({ id }) => store.regrades(id).slice(-1));
}
