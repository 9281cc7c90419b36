import type { Handlers } from '../../protocol/api.ts';
import { CoachError } from '../../protocol/errors.ts';
import type { Regrade, RunSummary, runs, TrialSummary } from '../../protocol/runs.ts';
import { compareRuns } from './report/comparison.ts';
import { writeReport } from './report/write.ts';
import { type RegradeDeps, regradeRun } from './runs/regrade.ts';
import { runNamed, trialNamed } from './runs/runNamed.ts';
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
  const requireRun = (given: string): RunSummary => service.require(runNamed(given, store));
  const requireTrial = (given: string): TrialSummary => {
    const trial = store.trial(trialNamed(given, store));
    if (trial !== null) return trial;
    throw new CoachError('trial.missing', `No trial ${given}.`, { hint: 'See: codex-coach runs show <run>' });
  };
  const taskOf = (trial: TrialSummary) => loadTask(service.require(trial.runId).repository, trial.task);
  return {
    start: request => service.start(request),
    plan: request => service.plan(request),
    resume: ({ runId, keys }) => service.resume(runNamed(runId, store), keys),
    regrade: async ({ runId, ...options }, signal) => ({
      rows: await regradeRun(requireRun(runId), options, deps, signal),
    }),
    async list({ repository, limit }) {
      return { rows: store.list(limit, repository === undefined ? undefined : await repositoryRoot(repository)) };
    },
    show({ runId }) {
      const run = requireRun(runId);
      const trials = store.trials(run.id);
      return { run, trials, regrades: latestRegrades(trials, store) };
    },
    events: ({ runId, after, limit }) => ({ events: store.events(runNamed(runId, store), after, limit) }),
    cancel: ({ runId }) => service.cancel(runNamed(runId, store)),
    async report({ runId, format }) {
      const run = requireRun(runId);
      const trials = store.trials(run.id);
      return { file: await writeReport(run, trials, format, latestRegrades(trials, store)) };
    },
    async export({ runId, format, output }) {
      const run = requireRun(runId);
      const trials = store.trials(run.id).filter(trial => trial.phase === 'done');
      const known = (trial: TrialSummary) => taskOf(trial).catch(() => null);
      await exportRun({ run, trials, taskOf: known }, format, output);
      return { output, trials: trials.length };
    },
    compare: ({ runIds }) =>
      compareRuns(
        [...new Set(runIds.map(given => runNamed(given, store)))].map(runId => ({
          run: service.require(runId),
          trials: store.trials(runId),
        })),
      ),
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
