import { join } from 'node:path';
import type { z } from 'zod';
import { CoachError } from '../../protocol/errors.ts';
import { type RunSummary, runs, type TrialSummary } from '../../protocol/runs.ts';
import type { Agent } from '../agents/agent.ts';
import type { InstalledAgent } from '../agents/install.ts';
import type { EventBus } from '../base/bus.ts';
import { type Clock, toIso } from '../base/clock.ts';
import type { AsyncOwner } from '../base/disposable.ts';
import { writeFileAtomic } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import type { Executor } from '../executors/executor.ts';
import type { Executors } from '../executors/index.ts';
import type { LaunchSpec, ProxyLaunch } from '../proxy/proxy.ts';
import type { Replay } from '../proxy/replay/replayServer.ts';
import { isProven } from '../tasks/format.ts';
import { writeIgnoreFile } from '../tasks/places.ts';
import type { PreparedTask } from '../tasks/preparedTask.ts';
import { type PreparedEnvironments, prepareEnvironments } from './environments.ts';
import { toHarborJob } from './harbor.ts';
import type { AgentLimits } from './limits.ts';
import { missingKey } from './modelAccess.ts';
import { newRunId, type PlannedAgent, planAgents, planTrials } from './plan.ts';
import type { RunRecord, RunStore } from './runStore.ts';
import { runEach } from './scheduler.ts';
import { runTrial, type TrialTraces } from './trial.ts';
import { createTrialFiles, toJson } from './trialFiles.ts';
import { TrialRecord } from './trialRecord.ts';

export type RunRequest = z.output<(typeof runs.members.start)['params']>;

export interface RunServiceDeps {
  readonly store: RunStore;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Log;
  readonly executors: Executors;
  readonly traces: TrialTraces;
  /** `COACH_HOME/workspaces`: sockets and copies while trials run. */
  readonly workspaces: string;
  findAgent(id: string): Agent;
  install(agent: Agent, signal: AbortSignal): Promise<InstalledAgent>;
  /** Starts the proxy when it is not up, and registers a launch. */
  openLaunch(spec: LaunchSpec): Promise<ProxyLaunch>;
  startReplay(recording: string): Promise<Replay>;
  /** The repository's root and its prepared task by that name. @throws CoachError `task.missing`, `task.invalid` */
  loadTask(root: string, name: string): Promise<PreparedTask>;
  repositoryRoot(directory: string): Promise<string>;
  keys(root: string): Readonly<Record<string, string | undefined>>;
  readonly patience?: Pick<AgentLimits, 'unreachableMs' | 'idleMs'>;
}

/** How long an agent may try to reach a dead model, and how long it may give no sign of life. */
const defaultPatience = { unreachableMs: 60_000, idleMs: 15 * 60_000 };

interface ActiveRun {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

interface Plan {
  record: RunRecord;
  readonly tasks: readonly PreparedTask[];
  readonly agents: readonly PlannedAgent[];
  readonly executors: readonly [Executor, ...Executor[]];
  readonly concurrency: number;
  readonly keys: Readonly<Record<string, string | undefined>>;
}

/** Starts, follows and ends runs. */
export class RunService implements AsyncOwner {
  readonly #deps: RunServiceDeps;
  readonly #active = new Map<string, ActiveRun>();

  constructor(deps: RunServiceDeps) {
    this.#deps = deps;
  }

  /** Trials that have started and not ended. */
  get runningTrials(): number {
    const trials = [...this.#active.keys()].flatMap(runId => this.#deps.store.trials(runId));
    return trials.filter(trial => trial.phase !== 'done' && trial.phase !== 'queued').length;
  }

  /**
   * Checks everything that can be checked, writes the run down and starts it.
   * @throws CoachError when it can't be started; nothing is written then
   */
  async start(request: RunRequest): Promise<RunSummary> {
    const { store, bus, clock } = this.#deps;
    const plan = await this.#plan(request);
    const trials = planTrials(plan.record, plan.tasks, plan.agents, request.attempts);
    await writeIgnoreFile(plan.record.repository);
    store.create(plan.record, trials);
    const summary = this.require(plan.record.id);
    bus.publish(runs, 'changed', summary);
    const stop = new AbortController();
    const ended = this.#execute(plan, trials, stop.signal)
      .catch((error: unknown) => {
        // Trials keep their faults to themselves, so this is a fault of ours or of the disk.
        this.#deps.log.error(`Run ${plan.record.id} broke off.`, { error });
        this.#close(plan.record, 'interrupted', toIso(clock.now()));
      })
      .finally(() => this.#active.delete(plan.record.id));
    this.#active.set(plan.record.id, { stop, ended });
    return summary;
  }

  /** Ends a run's agents and sandboxes and waits until they are gone. A run that is over stays as it is. */
  async cancel(runId: string): Promise<RunSummary> {
    this.require(runId);
    const active = this.#active.get(runId);
    active?.stop.abort(new CoachError('cancelled', 'The run was cancelled.'));
    await active?.ended;
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
   * To be called once at the start of the server: whatever says that it runs was cut off by the end of another server.
   * Its sandboxes are removed by the executors' `sweep`.
   */
  recover(): void {
    const { store, clock, log } = this.#deps;
    const now = toIso(clock.now());
    for (const run of store.running()) {
      for (const trial of store.trials(run.id)) {
        if (trial.phase === 'done') continue;
        const end = trial.phase === 'queued' ? 'cancelled' : 'lost';
        store.saveTrial({ ...trial, phase: 'done', end, finishedAt: now });
      }
      this.#close(run, 'interrupted', now);
      log.warn(`Run ${run.id} was interrupted by the end of the server.`);
    }
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#active.keys()].map(runId => this.cancel(runId)));
  }

  async #plan(request: RunRequest): Promise<Plan> {
    const { clock, executors, findAgent, loadTask, repositoryRoot } = this.#deps;
    const agents = planAgents(request.agents, findAgent);
    const root = await repositoryRoot(request.repository);
    const keys = { ...this.#deps.keys(root), ...request.keys };
    for (const { agent, choice } of agents) {
      const needsKey = agent.dialect !== null && choice.replay === null && agent.keyName !== null;
      if (needsKey && !keys[agent.keyName]) throw missingKey(agent);
    }
    const tasks = await Promise.all([...new Set(request.tasks)].map(name => loadTask(root, name)));
    if (!request.unproven) for (const task of tasks) requireProven(task);
    const chosen = await executors.choose(request.executor);
    const id = newRunId(clock.now());
    const record: RunRecord = {
      id,
      repository: root,
      directory: join(root, '.coach', 'runs', id),
      state: 'running',
      tasks: tasks.map(task => task.name),
      agents: agents.map(({ choice }) => choice),
      attempts: request.attempts,
      limits: request.limits,
      executor: chosen[0].id,
      notIsolated: [...chosen[0].notIsolated],
      createdAt: toIso(clock.now()),
      finishedAt: null,
    };
    return { record, tasks, agents, executors: chosen, concurrency: request.concurrency, keys };
  }

  async #execute(plan: Plan, trials: readonly TrialSummary[], signal: AbortSignal): Promise<void> {
    const removals = new Set<Promise<void>>();
    const log = this.#journalled(plan.record.id);
    const environments = this.#prepare(plan, log, signal);
    // Each trial waits for it and reports its failure; nobody else has to.
    environments.catch(() => undefined);
    await runEach(trials, plan.concurrency, async trial => {
      await this.#runOne(plan, trial, environments, log, removal => removals.add(removal), signal);
    });
    for (const removal of removals) {
      await removal.catch((error: unknown) => log.warn('A sandbox could not be removed.', { error }));
    }
    this.#close(plan.record, signal.aborted ? 'cancelled' : 'finished', toIso(this.#deps.clock.now()));
    await this.#writeResult(plan.record.id).catch((error: unknown) => {
      log.error(`The results of the run can't be written to ${plan.record.directory}.`, { error });
    });
  }

  /** Builds all environments, and writes down which executor it came to. */
  async #prepare(plan: Plan, log: Log, signal: AbortSignal): Promise<PreparedEnvironments> {
    const environments = await prepareEnvironments(plan.tasks, plan.executors, log, signal);
    const { id, notIsolated } = environments.executor;
    if (id !== plan.record.executor) {
      plan.record = { ...plan.record, executor: id, notIsolated: [...notIsolated] };
      this.#deps.store.saveRun(plan.record);
      this.#deps.bus.publish(runs, 'changed', this.require(plan.record.id));
    }
    return environments;
  }

  async #runOne(
    plan: Plan,
    summary: TrialSummary,
    environments: Promise<PreparedEnvironments>,
    log: Log,
    onRemoval: (removal: Promise<void>) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const deps = this.#deps;
    const record = new TrialRecord(summary, deps);
    const task = plan.tasks.find(candidate => candidate.name === summary.task);
    const agent = plan.agents.find(candidate => candidate.label === summary.agentLabel);
    if (task === undefined || agent === undefined) throw new Error(`Trial ${summary.id} is not part of its plan.`);
    const files = await createTrialFiles(summary.directory).catch((error: unknown) => {
      record.end({ kind: 'errored', error: CoachError.from(error) });
      return null;
    });
    if (files === null) return;
    const outcome = await runTrial(
      { id: summary.id, task, ...agent, limits: plan.record.limits },
      files,
      record,
      {
        proxy: { open: spec => deps.openLaunch(spec) },
        environment: async wanted => (await environments).of(wanted),
        install: (program, abort) => deps.install(program, abort),
        startReplay: recording => deps.startReplay(recording),
        keys: plan.keys,
        traces: deps.traces,
        workspaces: deps.workspaces,
        patience: deps.patience ?? defaultPatience,
        clock: deps.clock,
        log: log.child({ trial: summary.id }),
        onRemoval,
      },
      signal,
    );
    await files.writeEnd(record.end(outcome)).catch((error: unknown) => {
      log.error(`The results of trial ${summary.id} can't be written to ${summary.directory}.`, { error });
    });
    deps.bus.publish(runs, 'changed', this.require(plan.record.id));
  }

  #close(run: RunRecord, state: RunSummary['state'], finishedAt: string): void {
    const { store, bus } = this.#deps;
    const record = toRecord(run);
    store.saveRun({ ...record, state, finishedAt });
    this.#tell(run.id, 'end', `Run ${state}.`);
    bus.publish(runs, 'changed', this.require(run.id));
  }

  async #writeResult(runId: string): Promise<void> {
    const run = this.require(runId);
    const job = toHarborJob(run, this.#deps.store.trials(runId), toIso(this.#deps.clock.now()));
    await writeFileAtomic(join(run.directory, 'result.json'), toJson(job));
  }

  #tell(runId: string, kind: 'log' | 'end', text: string): void {
    const { store, bus } = this.#deps;
    for (const line of store.append(runId, [{ trialId: null, kind, phase: null, text, usage: null }])) {
      bus.publish(runs, 'progress', line);
    }
  }

  /** The server's log whose messages for people also stand in the run's journal. */
  #journalled(runId: string): Log {
    const { log } = this.#deps;
    const tell = (text: string) => this.#tell(runId, 'log', text);
    const wrap = (inner: Log): Log => ({
      debug: (message, fields) => inner.debug(message, fields),
      info(message, fields) {
        inner.info(message, fields);
        tell(message);
      },
      warn(message, fields) {
        inner.warn(message, fields);
        tell(message);
      },
      error(message, fields) {
        inner.error(message, fields);
        tell(message);
      },
      child: fields => wrap(inner.child(fields)),
    });
    return wrap(log.child({ run: runId }));
  }
}

function requireProven(task: PreparedTask): void {
  if (isProven(task.proof)) return;
  throw new CoachError('task.unproven', `${task.name} has not been proven.`, {
    hint: `Run: codex-coach task validate ${task.name} (or add --unproven to run it all the same).`,
  });
}

function toRecord(run: RunRecord): RunRecord {
  const { id, repository, directory, state, tasks, agents, attempts, limits, executor, notIsolated } = run;
  const { createdAt, finishedAt } = run;
  return {
    ...{ id, repository, directory, state, tasks, agents, attempts, limits, executor, notIsolated },
    ...{ createdAt, finishedAt },
  };
}
