import { join } from 'node:path';
import { agents as agentsApi } from '../protocol/agents.ts';
import { CoachError } from '../protocol/errors.ts';
import { reviews as reviewsApi } from '../protocol/reviews.ts';
import { runs as runsApi } from '../protocol/runs.ts';
import { secretsOf } from '../protocol/secretVariables.ts';
import type { Exchange } from '../protocol/sessions.ts';
import { suites as suitesApi } from '../protocol/suites.ts';
import { tasks as tasksApi } from '../protocol/tasks.ts';
import { codex } from './agents/codex.ts';
import { agents, findAgent } from './agents/index.ts';
import { findInstalled } from './agents/install.ts';
import type { EventBus } from './base/bus.ts';
import type { Clock } from './base/clock.ts';
import { type AsyncOwner, DisposableStack } from './base/disposable.ts';
import { programOnPath } from './base/programs.ts';
import { modelKeys, readDotEnv } from './base/settings.ts';
import { agentHandlers, agentInstaller } from './bench/agentHandlers.ts';
import { runHandlers } from './bench/handlers.ts';
import { reviewHandlers } from './bench/reviews/handlers.ts';
import { saidIn } from './bench/rubric/recordedAnswers.ts';
import { judgePauseMs } from './bench/runs/runExecution.ts';
import { chooseJudge } from './bench/runs/runPlan.ts';
import { RunService } from './bench/runs/runService.ts';
import type { RunServiceDeps } from './bench/runs/runServiceDeps.ts';
import { RunStore } from './bench/runs/runStore.ts';
import { judgeDeps } from './bench/trials/runTrial.ts';
import type { RecordedWork } from './bench/trials/trial.ts';
import { validateTask } from './bench/validate.ts';
import { runPresentTests } from './bench/verifier/presentTests.ts';
import { addCosts, sumUsage } from './bench/verifier/score.ts';
import { createExecutors, type Executors } from './executors/index.ts';
import { shimFile } from './executors/places.ts';
import { repositoryAt } from './git/repository.ts';
import type { ProxyService } from './proxy/proxy.ts';
import { openReplaySource } from './proxy/replay/reference.ts';
import { startReplay } from './proxy/replay/replayServer.ts';
import type { ServiceOptions } from './serviceOptions.ts';
import { type Domain, domain } from './surfaces/domain.ts';
import { findTask } from './tasks/catalogue.ts';
import { loadPreparedTask } from './tasks/format.ts';
import { taskHandlers } from './tasks/handlers.ts';
import type { PreparedTask } from './tasks/preparedTask.ts';
import { sampleSource } from './tasks/sampleProject.ts';
import { sessionSource } from './tasks/sessionSource.ts';
import { suiteHandlers } from './tasks/suites/suiteHandlers.ts';
import type { CodexSessionFiles } from './traces/codexFiles/codexSessionFiles.ts';
import { toAtif } from './traces/exports/atif.ts';
import type { Recorder } from './traces/recorder/recorder.ts';
import type { Redactor } from './traces/redaction/redaction.ts';
import type { TraceStore } from './traces/store.ts';

export interface TrialServiceOptions extends ServiceOptions {
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly traces: TraceStore;
  readonly codexFiles: CodexSessionFiles;
  readonly proxy: ProxyService;
  /** Of the proxy, when a trial is the first to need it. */
  readonly port: () => number;
  /** Values that must not reach the traces from now on. */
  readonly hide: (values: readonly string[]) => void;
  /** Hides them, too. */
  readonly redactor: Redactor;
}

/** What serves tasks, runs and agents. */
export interface TrialServices extends AsyncOwner {
  readonly domains: Readonly<Record<'tasks' | 'suites' | 'runs' | 'reviews' | 'agents', Domain>>;
  /** What the language of the tasks' files asks of earlier trials. */
  readonly history: Pick<RunStore, 'endedTrials' | 'run'>;
  readonly runningTrials: () => number;
}

/**
 * The part of the composition root that services.ts loads on demand. Goes on with the runs that the last
 * server's end cut off, and removes what else it left behind.
 * @throws CoachError `schema.newer`, `disk.readOnly`
 */
export async function createTrialServices(options: TrialServiceOptions): Promise<TrialServices> {
  const { paths, log, env, bus, clock, recorder, traces } = options;
  const owner = new DisposableStack();
  const executors = createCoachExecutors(options);
  const repositoryRoot = async (directory: string) => (await repositoryAt(directory)).root;
  const store = owner.add(new RunStore(paths.coachDb, clock));
  const service = owner.add(createRunService(options, { store, executors, repositoryRoot }));
  await service.recover();
  const sessions = sessionSource(recorder, traces, options.codexFiles);
  for (const executor of executors.all) {
    void executor.sweep(log).catch((error: unknown) => log.warn(`Sweeping ${executor.title} failed.`, { error }));
  }
  const tasks = taskHandlers({
    ...{ paths, clock, bus, log },
    sessions,
    sample: { source: sampleSource, directory: paths.workspaces },
    validate: async (directory, { root, executor, repeats, keys, ...asked }, signal) => {
      const deps = { executors, proofs: store, clock, log };
      const ways = judging(options);
      const judge = {
        settings: chooseJudge(asked, ways),
        deps: judgeDeps({ ...ways, keys: { ...ways.keys(root), ...keys }, pauseMs: judgePauseMs }),
      };
      await validateTask(await loadPreparedTask(directory), { executor, repeats, judge }, deps, signal);
    },
    runTests: async (directory, executor, signal) =>
      runPresentTests(await loadPreparedTask(directory), executor, { executors, log }, signal),
  });
  const runs = runHandlers({
    ...{ service, store, executors, clock, log, repositoryRoot, loadTask, findAgent, judgePauseMs },
    ...judging(options),
  });
  const reviews = reviewHandlers({ store, bus, clock, sessions, loadTask, judge: judging(options).judge });
  return {
    domains: {
      tasks: domain(tasksApi, tasks),
      suites: domain(suitesApi, suiteHandlers({ bus })),
      runs: domain(runsApi, runs),
      reviews: domain(reviewsApi, reviews),
      agents: domain(agentsApi, agentHandlers({ agents, findAgent, executors, cache: paths.cache, env, bus })),
    },
    history: store,
    runningTrials: () => service.runningTrials,
    dispose: () => owner.dispose(),
  };
}

interface RunParts {
  readonly store: RunStore;
  readonly executors: Executors;
  readonly repositoryRoot: (directory: string) => Promise<string>;
}

function createRunService(options: TrialServiceOptions, { store, executors, repositoryRoot }: RunParts): RunService {
  const { paths, log, env, bus, clock, traces, codexFiles, redactor } = options;
  return new RunService({
    ...{ store, bus, clock, log, executors, workspaces: paths.workspaces, findAgent, loadTask, repositoryRoot },
    install: agentInstaller({ cache: paths.cache, env, bus }),
    // A task's instruction is worded anew from what was asked in the session.
    startReplay: async reference =>
      startReplay(await openReplaySource(reference, traces, { anyPrompt: true, redactor, files: codexFiles }), log),
    ...judging(options),
  });
}

/** What runs and their later judging share: the way to a model, its traces, the keys and who judges. */
function judging({
  env,
  settings,
  traces,
  proxy,
  port,
  hide,
}: TrialServiceOptions): Pick<RunServiceDeps, 'traces' | 'openLaunch' | 'keys' | 'judge'> {
  return {
    traces: {
      cost: sessionIds => addCosts(sessionIds.flatMap(id => traces.session(id)?.cost ?? [])),
      recorded: (trialId, since) =>
        workOf(traces.exchangesOfTrial(trialId).filter(({ startedAt }) => startedAt >= since)),
      denied: trialId => traces.denialsOfTrial(trialId),
      trajectory: sessionIds => (sessionIds.length === 0 ? null : toAtif(traces, sessionIds)),
      exchanges: sessionId => saidIn(traces, sessionId),
    },
    async openLaunch(spec) {
      await proxy.start(port());
      return proxy.open(spec);
    },
    keys(root) {
      const keys = modelKeys(env, root);
      hide(secretsOf({ ...readDotEnv(root), ...keys }));
      return keys;
    },
    judge: () => ({ judge: settings.get('judge.model'), votes: settings.get('judge.votes') }),
  };
}

function workOf(exchanges: readonly Exchange[]): RecordedWork {
  return {
    usage: sumUsage(exchanges.map(({ usage }) => usage)),
    costUsd: exchanges.reduce((sum, { cost }) => sum + (cost.amountUsd ?? 0), 0),
    sessionIds: [...new Set(exchanges.map(({ sessionId }) => sessionId))],
  };
}

/** A task to run, by its name or by the id of the created task it was prepared from. */
async function loadTask(root: string, id: string): Promise<PreparedTask> {
  const task = await findTask(root, id);
  if (task.state !== 'created') return loadPreparedTask(task.directory);
  throw new CoachError('task.unproven', `${task.id} is not prepared yet.`, {
    hint: `Run: codex-coach task prepare ${task.id}`,
  });
}

/** Executors whose `auto` is the user's setting. */
function createCoachExecutors({ paths, settings, env }: ServiceOptions): Executors {
  const cachedBubblewrap = () => {
    const installed = findInstalled(codex, paths.cache);
    return installed === null ? [] : [join(installed.directory, 'codex-resources', 'bwrap')];
  };
  const executors = createExecutors({
    host: () => settings.get('docker.host') || (env['DOCKER_HOST'] ?? ''),
    imageCache: join(paths.cache, 'images'),
    dependencyCache: join(paths.cache, 'dependencies'),
    workspaces: paths.workspaces,
    bubblewraps: () => [programOnPath('bwrap', env), ...cachedBubblewrap()].filter(program => program !== null),
    // In the editor this process is Electron, which can't be mounted into a sandbox.
    node:
      process.versions['electron'] === undefined ? process.execPath : (programOnPath('node', env) ?? process.execPath),
    shim: shimFile,
  });
  return { all: executors.all, choose: id => executors.choose(id === 'auto' ? settings.get('run.executor') : id) };
}
