import { CoachError } from '../../../protocol/errors.ts';
import { type RunPlan, type RunSummary, runs, type TrialSummary } from '../../../protocol/runs.ts';
import { isRetriable } from '../../../protocol/trialState.ts';
import { toIso } from '../../base/clock.ts';
import type { AsyncOwner } from '../../base/disposable.ts';
import { writeIgnoreFile } from '../../tasks/places.ts';
import { withJudge } from '../rubric/judgePlan.ts';
import type { Try } from '../trials/tries.ts';
import { requireDiskSpace } from './diskSpace.ts';
import { estimate } from './estimate.ts';
import { findReusable } from './reuse.ts';
import { closeRun, publishRun, RunExecution } from './runExecution.ts';
import { tell } from './runJournal.ts';
import { makePlan, type Plan, RunOptions, type RunRequest, remakePlan } from './runPlan.ts';
import type { RunServiceDeps } from './runServiceDeps.ts';
import { claim, giveUp, isAdoptable } from './tryTrial.ts';

/** Earlier trials that an estimate looks at. */
const estimateFrom = 2000;

interface ActiveRun {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Starts, follows, resumes and ends runs. */
export class RunService implements AsyncOwner {
  readonly #deps: RunServiceDeps;
  readonly #active = new Map<string, ActiveRun>();

  constructor(deps: RunServiceDeps) {
    this.#deps = deps;
  }

  /** Trials that have started and not ended; at least one while a run waits for space or for another try. */
  get runningTrials(): number {
    const trials = [...this.#active.keys()].flatMap(runId => this.#deps.store.trials(runId));
    const started = trials.filter(trial => trial.phase !== 'done' && trial.phase !== 'queued').length;
    return Math.max(started, this.#active.size > 0 ? 1 : 0);
  }

  /**
   * Checks everything that can be checked, writes the run down and starts it.
   * @throws CoachError when it can't be started; nothing is written then
   */
  async start(request: RunRequest): Promise<RunSummary> {
    const { store, bus, workspaces } = this.#deps;
    const plan = await makePlan(request, this.#deps);
    await requireDiskSpace([plan.record.repository, workspaces]);
    await writeIgnoreFile(plan.record.repository);
    store.create(plan.record, plan.trials, JSON.stringify(plan.options));
    const summary = this.require(plan.record.id);
    bus.publish(runs, 'changed', summary);
    const trials = plan.trials.map(({ trial }) => trial);
    this.#launch(plan.record.id, signal => this.#execute(plan, trials, signal));
    return summary;
  }

  /** What `start` would do. @throws CoachError when it can't be started */
  async plan(request: RunRequest): Promise<RunPlan> {
    const { store } = this.#deps;
    const { record, agents, options, keys, trials, tasks } = await makePlan(request, this.#deps);
    const reused = options.fresh ? new Map<string, unknown>() : findReusable(trials, store);
    const planned = trials.map(({ trial }) => trial);
    const earlier = store.endedTrials(record.repository, estimateFrom);
    const plan = estimate({ ...options, executor: record.executor, agents, keys, reused, trials: planned }, earlier);
    const due = planned.filter(trial => !reused.has(trial.id));
    return withJudge(plan, due, tasks, options, earlier);
  }

  /** Ends a run's agents and sandboxes and waits until they are gone. A run that is over stays as it is. */
  async cancel(runId: string): Promise<RunSummary> {
    this.require(runId);
    const active = this.#active.get(runId);
    active?.stop.abort(new CoachError('cancelled', 'The run was cancelled.'));
    await active?.ended;
    return this.require(runId);
  }

  /**
   * Goes on with a run: its trials that have not ended, were cancelled or met a failure of the machine. Verdicts are kept,
   * what lacks only a judge is left to `regrade`, and a run that has nothing but those stays as it is.
   * @throws CoachError when it can't go on now, such as for want of a key
   */
  async resume(runId: string, keys: Readonly<Record<string, string>> = {}): Promise<RunSummary> {
    const { store } = this.#deps;
    const run = this.require(runId);
    if (this.#active.has(runId)) return run;
    const due = store.trials(runId).filter(isDue);
    if (due.length === 0) return run;
    const plan = await this.#remakePlan(run, keys);
    // Another request may have been faster.
    if (this.#active.has(runId)) return this.require(runId);
    store.setState(runId, 'running', null);
    tell(this.#deps, runId, 'log', `The run goes on: ${due.length} of ${run.trialCounts.total} trials.`);
    publishRun(this.#deps, runId);
    this.#launch(runId, signal => this.#execute(plan, due, signal));
    return this.require(runId);
  }

  /** Waits for the end of a run. */
  async finished(runId: string): Promise<RunSummary> {
    await this.#active.get(runId)?.ended;
    return this.require(runId);
  }

  /** @throws CoachError `run.missing` */
  require(runId: string): RunSummary {
    const run = this.#deps.store.run(runId);
    if (run !== null) return run;
    throw new CoachError('run.missing', `No run ${runId}.`, { hint: 'See: codex-coach runs list' });
  }

  /**
   * To be called once at the start of the server: goes on with the runs that another server's end cut off. When this
   * returns, the sandboxes whose agents are still at work are claimed, and all others may be swept. A run that can't go on
   * now is called interrupted, and why; `resume` is for its user.
   */
  async recover(): Promise<void> {
    const { store, executors, log } = this.#deps;
    for (const run of store.running()) {
      const tries = store.trials(run.id).flatMap(trial => store.tries(trial.id).at(-1) ?? []);
      const executor = executors.all.find(({ id }) => id === run.executor);
      const atWork = tries.filter(value => isAdoptable(value, executor));
      await Promise.all(tries.map(value => (atWork.includes(value) ? claim(value) : giveUp(value))));
      log.info(`Run ${run.id} was cut off by the end of its server.`, { agentsAtWork: atWork.length });
      this.#launch(run.id, async signal => {
        const plan = await this.#remakePlan(run, {}).catch(async (error: unknown) => {
          await Promise.all(atWork.map(giveUp));
          await executor?.sweep(log).catch(() => undefined);
          this.#interrupt(run, tries, CoachError.from(error));
        });
        if (plan !== undefined) await this.#execute(plan, store.trials(run.id).filter(isDue), signal);
      });
    }
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#active.keys()].map(runId => this.cancel(runId)));
  }

  #execute(plan: Plan, due: readonly TrialSummary[], signal: AbortSignal): Promise<void> {
    return new RunExecution(plan, this.#deps).run(due, signal);
  }

  #launch(runId: string, work: (signal: AbortSignal) => Promise<void>): void {
    const stop = new AbortController();
    const ended = work(stop.signal)
      .catch((error: unknown) => {
        // Trials keep their faults to themselves, so this is a fault of ours or of the disk.
        this.#deps.log.error(`Run ${runId} broke off.`, { error });
        closeRun(this.#deps, runId, 'interrupted');
      })
      .finally(() => this.#active.delete(runId));
    this.#active.set(runId, { stop, ended });
  }

  async #remakePlan(run: RunSummary, keys: Readonly<Record<string, string>>): Promise<Plan> {
    const { store } = this.#deps;
    const options = store.options(run.id);
    if (options === null) {
      throw new CoachError('input.invalid', `Run ${run.id} is of an older version and can't go on.`, {
        hint: 'Start a new one with: codex-coach run',
      });
    }
    return remakePlan(run, RunOptions.parse(JSON.parse(options)), keys, id => store.fingerprint(id), this.#deps);
  }

  #interrupt(run: RunSummary, tries: readonly Try[], why: CoachError): void {
    const { store, clock, log } = this.#deps;
    const now = toIso(clock.now());
    for (const value of tries.filter(({ endedAt }) => endedAt === null)) {
      store.saveTry({ ...value, end: 'lost', endedAt: now });
    }
    for (const trial of store.trials(run.id)) {
      if (trial.phase !== 'done') store.saveTrial({ ...trial, phase: 'queued' });
    }
    tell(this.#deps, run.id, 'log', `${why.message} Then go on with: codex-coach runs resume ${run.id}`);
    closeRun(this.#deps, run.id, 'interrupted');
    log.warn(`Run ${run.id} was interrupted by the end of its server and can't go on: ${why.message}`);
  }
}

/** Whether a trial is still to be run, or once more: verdicts stay, and so does what the agent itself came to. */
function isDue(trial: TrialSummary): boolean {
  return trial.phase !== 'done' || isRetriable(trial);
}
