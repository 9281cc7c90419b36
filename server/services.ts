import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agents as agentsApi } from '../protocol/agents.ts';
import { readableIssues } from '../protocol/api.ts';
import { CoachError } from '../protocol/errors.ts';
import { proxy as proxyApi } from '../protocol/proxy.ts';
import { runs as runsApi } from '../protocol/runs.ts';
import { sessions as sessionsApi } from '../protocol/sessions.ts';
import { tasks as tasksApi } from '../protocol/tasks.ts';
import { codex } from './agents/codex.ts';
import { agents, findAgent } from './agents/index.ts';
import { findInstalled } from './agents/install.ts';
import { recordedAgents } from './agents/recorded.ts';
import { EventBus } from './base/bus.ts';
import { systemClock } from './base/clock.ts';
import { type AsyncOwner, DisposableStack } from './base/disposable.ts';
import type { Log } from './base/log.ts';
import type { CoachPaths } from './base/paths.ts';
import { programOnPath } from './base/programs.ts';
import { modelKeys, readDotEnv, type Settings, secretValues } from './base/settings.ts';
import { agentHandlers, agentInstaller } from './bench/agentHandlers.ts';
import { runHandlers } from './bench/handlers.ts';
import { RunService } from './bench/runService.ts';
import { RunStore } from './bench/runStore.ts';
import { addCosts } from './bench/score.ts';
import { validateTask } from './bench/validate.ts';
import { createExecutors, type Executors } from './executors/index.ts';
import { shimFile } from './executors/places.ts';
import { repositoryAt } from './git/repository.ts';
import { toAddressPolicy } from './proxy/addressPolicy.ts';
import { toBudgetLimits } from './proxy/budget.ts';
import { createProxy } from './proxy/captureProxy.ts';
import { announceProxy, proxyHandlers } from './proxy/handlers.ts';
import { ModelHosts } from './proxy/hosts.ts';
import { recordedSource } from './proxy/replay/recorded.ts';
import { startReplay } from './proxy/replay/replayServer.ts';
import { Script, scriptedSource } from './proxy/replay/scripted.ts';
import type { ReplaySource } from './proxy/replay/source.ts';
import { toOverrides } from './proxy/upstreamSetting.ts';
import { type Domain, domain } from './surfaces/domain.ts';
import { findTask } from './tasks/catalogue.ts';
import { loadPreparedTask } from './tasks/format.ts';
import { taskHandlers } from './tasks/handlers.ts';
import type { PreparedTask } from './tasks/preparedTask.ts';
import { sessionSource } from './tasks/sessionSource.ts';
import { toAtif } from './traces/atif.ts';
import { CodexSessionFiles, codexSessionDirectories } from './traces/codexFiles/codexSessionFiles.ts';
import { announceSessions, sessionHandlers } from './traces/handlers.ts';
import { startRecorder } from './traces/recorder.ts';
import { Redactor } from './traces/redaction.ts';
import { scheduleRetention } from './traces/retentionSchedule.ts';
import { TraceStore } from './traces/store.ts';

export interface ServiceOptions {
  readonly paths: CoachPaths;
  readonly settings: Settings;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;
}

/** Everything the server does, put together. */
export interface Services extends AsyncOwner {
  readonly domains: readonly Domain[];
  readonly bus: EventBus;
  runningTrials(): number;
  /** Connections of agents that would break if this process ended. */
  tracedConnections(): number;
}

/** The composition root: nothing else constructs a service. @throws CoachError `schema.newer`, `disk.readOnly` */
export async function createServices(options: ServiceOptions): Promise<Services> {
  const owner = new DisposableStack();
  try {
    return await compose(options, owner);
  } catch (error) {
    await owner.dispose().catch(() => undefined);
    throw error;
  }
}

async function compose({ paths, settings, log, env }: ServiceOptions, owner: DisposableStack): Promise<Services> {
  const bus = new EventBus();
  const clock = systemClock;

  const recorder = owner.add(
    await startRecorder({
      file: paths.tracesDb,
      workerFile: join(import.meta.dirname, 'recorder.cjs'),
      idleSeconds: settings.get('session.idleSeconds'),
      log,
    }),
  );
  const hide = (values: readonly string[]) => {
    for (const value of values) recorder.hide(value);
  };
  hide(secretValues(env));
  const traces = owner.add(new TraceStore(paths.tracesDb));
  owner.add(announceSessions(recorder, bus));
  const limits = () => ({
    keepDays: settings.get('traces.keepDays'),
    maxMegabytes: settings.get('traces.maxMegabytes'),
  });
  owner.add(scheduleRetention(recorder, limits, log));
  const codexFiles = new CodexSessionFiles(
    codexSessionDirectories(env, settings.get('sessions.codexHome')),
    new Redactor(),
  );

  const overrides = toOverrides(settings.get('proxy.upstreams'));
  const hosts = new ModelHosts(settings.get('proxy.hosts'));
  const policy = toAddressPolicy(settings.get('proxy.allowPrivate'));
  const proxy = owner.add(
    createProxy({
      ...{ caDirectory: paths.ca, launchFile: paths.launches, recorder, store: traces, log, env },
      ...{ overrides, hosts, policy, budgets: toBudgetLimits(settings) },
    }),
  );
  owner.add(announceProxy(proxy, bus));
  await proxy.resume();
  const port = () => settings.get('proxy.port');

  const executors = createCoachExecutors({ paths, settings, env });
  const install = agentInstaller({ cache: paths.cache, env, bus });
  const repositoryRoot = async (directory: string) => (await repositoryAt(directory)).root;

  const runStore = owner.add(new RunStore(paths.coachDb, clock));
  const runService = owner.add(
    new RunService({
      store: runStore,
      bus,
      clock,
      log,
      executors,
      traces: {
        cost: sessionIds => addCosts(sessionIds.flatMap(id => traces.session(id)?.cost ?? [])),
        trajectory: sessionIds => (sessionIds.length === 0 ? null : toAtif(traces, sessionIds)),
      },
      workspaces: paths.workspaces,
      findAgent,
      install,
      async openLaunch(spec) {
        await proxy.start(port());
        return proxy.open(spec);
      },
      startReplay: async reference => startReplay(await replaySource(reference, traces), log),
      loadTask,
      repositoryRoot,
      keys(root) {
        const keys = modelKeys(env, root);
        hide(secretValues({ ...readDotEnv(root), ...keys }));
        return keys;
      },
    }),
  );
  runService.recover();
  for (const executor of executors.all) {
    void executor.sweep(log).catch((error: unknown) => log.warn(`Sweeping ${executor.title} failed.`, { error }));
  }

  const domains: Domain[] = [
    domain(sessionsApi, sessionHandlers({ store: traces, files: codexFiles, recorder, clock })),
    domain(proxyApi, proxyHandlers({ service: proxy, recorder, store: traces, port, defaultHost: hostOf })),
    domain(
      tasksApi,
      taskHandlers({
        paths,
        clock,
        bus,
        log,
        sessions: sessionSource(recorder, traces),
        validate: async (_root, directory, executor, signal) => {
          await validateTask(await loadPreparedTask(directory), executor, { executors, clock, log }, signal);
        },
      }),
    ),
    domain(runsApi, runHandlers({ service: runService, store: runStore, repositoryRoot, loadTask })),
    domain(agentsApi, agentHandlers({ agents, findAgent, executors, cache: paths.cache, env, bus })),
  ];
  return {
    domains,
    bus,
    runningTrials: () => runService.runningTrials,
    tracedConnections: () => proxy.openConnections(),
    dispose: () => owner.dispose(),
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
function createCoachExecutors({ paths, settings, env }: Omit<ServiceOptions, 'log'>): Executors {
  const cachedBubblewrap = () => {
    const installed = findInstalled(codex, paths.cache);
    return installed === null ? [] : [join(installed.directory, 'codex-resources', 'bwrap')];
  };
  const executors = createExecutors({
    host: () => settings.get('docker.host') || (env['DOCKER_HOST'] ?? ''),
    imageCache: join(paths.cache, 'images'),
    workspaces: paths.workspaces,
    bubblewraps: () => [programOnPath('bwrap', env), ...cachedBubblewrap()].filter(program => program !== null),
    // In the editor this process is Electron, which can't be mounted into a sandbox.
    node:
      process.versions['electron'] === undefined ? process.execPath : (programOnPath('node', env) ?? process.execPath),
    shim: shimFile,
  });
  return { all: executors.all, choose: id => executors.choose(id === 'auto' ? settings.get('run.executor') : id) };
}

/** `session:<id>` of the trace store, or a recording's file. */
async function replaySource(reference: string, traces: TraceStore): Promise<ReplaySource> {
  // A task's instruction is worded anew from what was asked in the session.
  if (reference.startsWith('session:')) {
    return recordedSource(traces, reference.slice('session:'.length), { anyPrompt: true });
  }
  const unusable = (why: string, cause?: unknown) =>
    new CoachError('input.invalid', `${reference} is no recording: ${why}`, {
      cause,
      hint: 'Give a recording file, or session:<id>.',
    });
  let json: unknown;
  try {
    json = JSON.parse(await readFile(reference, 'utf8'));
  } catch (error) {
    throw unusable(error instanceof Error ? error.message : String(error), error);
  }
  const parsed = Script.safeParse(json);
  if (!parsed.success) throw unusable(readableIssues(parsed.error));
  return scriptedSource(parsed.data);
}

function hostOf(agent: string): string {
  const known = agents.find(({ id }) => id === agent) ?? recordedAgents.find(({ id }) => id === agent);
  return known?.apiHosts[0] ?? 'api.openai.com';
}
