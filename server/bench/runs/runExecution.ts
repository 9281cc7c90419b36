import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import type { IntegrityFlag } from '../../../protocol/integrity.ts';
import { runs, type TrialSummary } from '../../../protocol/runs.ts';
import { toIso } from '../../base/clock.ts';
import { writeFileAtomic } from '../../base/files.ts';
import type { Log } from '../../base/log.ts';
import type { PreparedEnvironment, Sandbox } from '../../executors/executor.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { type PreparedEnvironments, prepareEnvironments, toSpec } from '../environments.ts';
import { toHarborJob } from '../harbor.ts';
import { flagsOfTrial } from '../integrity/trialEvidence.ts';
import { Gate, runEach } from '../scheduler.ts';
import { runTrial } from '../trials/runTrial.ts';
import type { TrialOutcome, TrialStart } from '../trials/trial.ts';
import { createTrialFiles, type TrialFiles, toJson } from '../trials/trialFiles.ts';
import { type Try, tryKey } from '../trials/tries.ts';
import { awaitDiskSpace, DiskGuard } from './diskSpace.ts';
import type { PlannedAgent } from './plan.ts';
import { findReusable } from './reuse.ts';
import { journalled, tell } from './runJournal.ts';
import { fingerprinted, type Plan } from './runPlan.ts';
import type { RunServiceDeps } from './runServiceDeps.ts';
import { TrialRecord } from './trialRecord.ts';
import { tryTrial } from './tryTrial.ts';

/** How long an agent may try to reach a dead model, give no sign of life, and wait for a person's answer. */
const defaultPatience = { unreachableMs: 60_000, idleMs: 15 * 60_000, promptMs: 30_000 };
const retryPauseMs = 1000;
export const judgePauseMs = 2000;

/** Works through the trials of a run that have no end yet, or that are to be run again. */
export class RunExecution {
  readonly #plan: Plan;
  readonly #deps: RunServiceDeps;
  readonly #log: Log;
  readonly #starts: Gate;
  readonly #removals = new Set<Promise<void>>();
  #fellBack = false;
  /** Where trials take space. */
  #places: readonly string[] = [];

  constructor(plan: Plan, deps: RunServiceDeps) {
    this.#plan = plan;
    this.#deps = deps;
    this.#log = journalled(deps, plan.record.id);
    this.#starts = new Gate(plan.options.startConcurrency);
  }

  /** Resolves when every trial has ended and every sandbox is gone. */
  async run(due: readonly TrialSummary[], cancelled: AbortSignal): Promise<void> {
    const { options, record } = this.#plan;
    this.#places = await this.#diskPlaces();
    const guard = new DiskGuard(this.#places);
    const signal = AbortSignal.any([cancelled, guard.signal]);
    const left = options.fresh ? [...due] : this.#reuse(due);
    // Those that an earlier server left at work come first: their agents wait for their way to the model.
    const isBegun = (trial: TrialSummary) => this.#deps.store.tries(trial.id).at(-1)?.endedAt === null;
    const ordered = [...left.filter(isBegun), ...left.filter(trial => !isBegun(trial))];
    if (ordered.length > 0) {
      const environments = this.#prepare(ordered, signal);
      // Each trial waits for it and reports its failure; nobody else has to.
      environments.catch(() => undefined);
      const one = (trial: TrialSummary) => this.#runOne(trial, environments, signal);
      await runEach(ordered, options.concurrency, one);
      await runEach(await this.#unreused(environments), options.concurrency, one);
    }
    guard.dispose();
    for (const removal of this.#removals) {
      await removal.catch((error: unknown) => this.#log.warn('A sandbox could not be removed.', { error }));
    }
    const state = cancelled.aborted ? 'cancelled' : guard.signal.aborted ? 'interrupted' : 'finished';
    closeRun(this.#deps, record.id, state);
    await this.#writeResult().catch((error: unknown) => {
      this.#log.error(`The results of the run can't be written to ${record.directory}.`, { error });
    });
  }

  /** Results, copies, sandboxes. */
  async #diskPlaces(): Promise<string[]> {
    const { record, executors } = this.#plan;
    const used = executors.find(({ id }) => id === record.executor);
    return [record.repository, this.#deps.workspaces, ...((await used?.diskPlaces?.()) ?? [])];
  }

  /** Ends the trials whose verdict is known already; answers the others. */
  #reuse(due: readonly TrialSummary[]): TrialSummary[] {
    const { store } = this.#deps;
    const fresh = due.filter(trial => trial.phase === 'queued' && store.tries(trial.id).length === 0);
    const found = findReusable(fingerprinted(this.#plan, fresh), store);
    return due.filter(trial => {
      const same = found.get(trial.id);
      if (same === undefined) return true;
      new TrialRecord(trial, this.#deps).reuse(same);
      return false;
    });
  }

  /** Trials that took a verdict of an executor which this run could not use after all, to be run now. */
  async #unreused(environments: Promise<PreparedEnvironments>): Promise<TrialSummary[]> {
    await environments.catch(() => undefined);
    if (!this.#fellBack) return [];
    const { store } = this.#deps;
    const reused = store.trials(this.#plan.record.id).filter(trial => trial.reusedFrom !== undefined);
    const wrong = reused.filter(trial => store.fingerprint(trial.reusedFrom ?? '') !== store.fingerprint(trial.id));
    return this.#plan.trials.map(({ trial }) => trial).filter(trial => wrong.some(({ id }) => id === trial.id));
  }

  /** Builds all environments, and writes down which executor it came to. */
  async #prepare(trials: readonly TrialSummary[], signal: AbortSignal): Promise<PreparedEnvironments> {
    const { store } = this.#deps;
    const plan = this.#plan;
    const tasks = plan.tasks.filter(task => trials.some(trial => trial.task === task.name));
    const environments = await prepareEnvironments(tasks, plan.executors, this.#log, signal);
    const { id, notIsolated } = environments.executor;
    if (id !== plan.record.executor) {
      this.#fellBack = true;
      plan.record = { ...plan.record, executor: id, notIsolated: [...notIsolated] };
      this.#places = await this.#diskPlaces();
      store.saveRun(plan.record);
      store.saveFingerprints(fingerprinted(plan, store.trials(plan.record.id)));
      publishRun(this.#deps, plan.record.id);
    }
    return environments;
  }

  async #runOne(
    summary: TrialSummary,
    environments: Promise<PreparedEnvironments>,
    signal: AbortSignal,
  ): Promise<void> {
    const { store, clock, log } = this.#deps;
    const record = new TrialRecord(summary, this.#deps);
    const files = await createTrialFiles(summary.directory).catch((error: unknown) => {
      record.end({ kind: 'errored', error: CoachError.from(error), isFinal: true });
      return null;
    });
    if (files === null) return;
    await awaitDiskSpace(this.#places, this.#log, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    const task = this.#taskOf(summary);
    const executor = await environments.then(prepared => prepared.executor).catch(() => this.#plan.executors[0]);
    const outcome = await tryTrial(
      summary,
      toSpec(task),
      record,
      (value, from) => this.#once(summary, value, from, { task, files, record, environments }, signal),
      { store, clock, executor, retries: this.#plan.options.retries, pauseMs: this.#deps.retryPauseMs ?? retryPauseMs },
      signal,
    );
    const flags = await this.#flagsOf(summary, task, files);
    await files.writeEnd(record.end(outcome, flags)).catch((error: unknown) => {
      log.error(`The results of trial ${summary.id} can't be written to ${summary.directory}.`, { error });
    });
    publishRun(this.#deps, this.#plan.record.id);
  }

  /** Looked for once all is over: a fault in that must not take a verdict away. */
  async #flagsOf(summary: TrialSummary, task: PreparedTask, files: TrialFiles): Promise<IntegrityFlag[]> {
    const { log, traces } = this.#deps;
    try {
      await files.close();
      const { agent, choice } = this.#agentOf(summary);
      return await flagsOfTrial({ ...files, agent, choice, task, denied: traces.denied(summary.id) });
    } catch (error) {
      log.error(`What trial ${summary.id} did can't be looked through.`, { error });
      return [];
    }
  }

  async #once(
    summary: TrialSummary,
    value: Try,
    from: TrialStart,
    parts: {
      readonly task: PreparedTask;
      readonly files: TrialFiles;
      readonly record: TrialRecord;
      readonly environments: Promise<PreparedEnvironments>;
    },
    signal: AbortSignal,
  ): Promise<TrialOutcome> {
    const deps = this.#deps;
    const { task, files, record, environments } = parts;
    const agent = this.#agentOf(summary);
    return runTrial(
      { id: summary.id, key: tryKey(value), from, done: value.steps, task, ...agent, limits: this.#plan.record.limits },
      files,
      record,
      {
        proxy: { open: spec => deps.openLaunch(spec) },
        environment: async wanted => this.#gated((await environments).of(wanted)),
        install: (program, abort) => deps.install(program, abort),
        startReplay: recording => deps.startReplay(recording),
        keys: this.#plan.keys,
        traces: deps.traces,
        judge: this.#plan.options,
        judgePauseMs: deps.judgePauseMs ?? judgePauseMs,
        workspaces: deps.workspaces,
        patience: { ...defaultPatience, ...deps.patience },
        clock: deps.clock,
        log: this.#log.child({ trial: summary.id }),
        onRemoval: removal => {
          this.#removals.add(removal);
          removal.then(
            () => this.#removals.delete(removal),
            () => undefined,
          );
        },
      },
      signal,
    );
  }

  /** Starting sandboxes is heavier work for an engine than running them, and has a limit of its own. */
  #gated(environment: PreparedEnvironment): PreparedEnvironment {
    const { verifiers } = environment;
    return {
      ...environment,
      start: async (spec, signal) => {
        const sandbox = await this.#starts.pass(() => environment.start(spec, signal), signal);
        return spec.only === undefined ? sandbox : this.#gatedCommand(sandbox);
      },
      ...(verifiers === undefined
        ? {}
        : { verifiers: new Map([...verifiers].map(([directory, own]) => [directory, this.#gated(own)])) }),
    };
  }

  /** A sandbox for one command only begins to run with it. */
  #gatedCommand(sandbox: Sandbox): Sandbox {
    return {
      ...sandbox,
      exec: (command, signal) =>
        this.#starts.passBegin(onStarted => sandbox.exec({ ...command, onStarted }, signal), signal),
    };
  }

  #agentOf(trial: TrialSummary): PlannedAgent {
    const agent = this.#plan.agents.find(candidate => candidate.label === trial.agentLabel);
    if (agent === undefined) throw new Error(`Trial ${trial.id} is not part of its plan.`);
    return agent;
  }

  #taskOf(trial: TrialSummary): PreparedTask {
    const task = this.#plan.tasks.find(candidate => candidate.name === trial.task);
    if (task === undefined) throw new Error(`Trial ${trial.id} is not part of its plan.`);
    return task;
  }

  async #writeResult(): Promise<void> {
    const { store, clock } = this.#deps;
    const run = store.run(this.#plan.record.id);
    if (run === null) return;
    const job = toHarborJob(run, store.trials(run.id), toIso(clock.now()));
    await writeFileAtomic(join(run.directory, 'result.json'), toJson(job));
  }
}

/** Writes down that a run is over, or cut off, and tells everybody. */
export function closeRun(
  deps: Pick<RunServiceDeps, 'store' | 'bus' | 'clock' | 'log'>,
  runId: string,
  state: 'finished' | 'cancelled' | 'interrupted',
): void {
  deps.store.setState(runId, state, toIso(deps.clock.now()));
  tell(deps, runId, 'end', `Run ${state}.`);
  publishRun(deps, runId);
}

export function publishRun({ store, bus }: Pick<RunServiceDeps, 'store' | 'bus'>, runId: string): void {
  const summary = store.run(runId);
  if (summary !== null) bus.publish(runs, 'changed', summary);
}
