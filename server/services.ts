import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { proxy as proxyApi } from '../protocol/proxy.ts';
import { secretsOf } from '../protocol/secretVariables.ts';
import { sessions as sessionsApi } from '../protocol/sessions.ts';
import { agents } from './agents/index.ts';
import { recordedAgents } from './agents/recorded.ts';
import { EventBus } from './base/bus.ts';
import { systemClock } from './base/clock.ts';
import { type AsyncOwner, DisposableStack } from './base/disposable.ts';
import { onDemand } from './base/onDemand.ts';
import { releaseOptimizers } from './base/optimizers.ts';
import type { TaskFiles } from './language/taskFiles.ts';
import { toBudgetLimits } from './proxy/budget/budget.ts';
import { createProxy } from './proxy/captureProxy.ts';
import { announceProxy, proxyHandlers } from './proxy/handlers.ts';
import { ModelHosts } from './proxy/hosts.ts';
import { toAddressPolicy } from './proxy/upstream/addressPolicy.ts';
import { toOverrides } from './proxy/upstream/upstreamSetting.ts';
import type { ServiceOptions } from './serviceOptions.ts';
import { type Domains, domain } from './surfaces/domain.ts';
import { CodexSessionFiles, codexSessionDirectories } from './traces/codexFiles/codexSessionFiles.ts';
import { announceSessions, sessionHandlers } from './traces/handlers.ts';
import { ReaderThread } from './traces/reader/readerThread.ts';
import { startRecorder } from './traces/recorder/recorder.ts';
import { HiddenValues } from './traces/redaction/hiddenValues.ts';
import { Redactor } from './traces/redaction/redaction.ts';
import { TraceStore } from './traces/store.ts';
import { scheduleRetention } from './traces/upkeep/retentionSchedule.ts';

/** Everything the server does, put together. */
export interface Services extends AsyncOwner {
  readonly domains: Domains;
  readonly bus: EventBus;
  /** The language of the tasks' files, loaded when one is opened in an editor. */
  readonly taskFiles: () => Promise<TaskFiles>;
  runningTrials(): number;
  /** Connections of agents that would break if this process ended. */
  tracedConnections(): number;
  /** Takes no new agents: another server has taken the place of this one. */
  giveWay(): void;
  /** Stores what was recorded, and nothing more: for an end without `dispose`. */
  endRecording(): Promise<void>;
}

/**
 * The composition root: nothing else constructs a service. What only tasks and trials need waits in trialServices.ts
 * until the first of them is asked for: a server that only records does without its memory.
 * @throws CoachError `schema.newer`, `disk.readOnly`
 */
export async function createServices(options: ServiceOptions): Promise<Services> {
  const owner = new DisposableStack();
  try {
    return await compose(options, owner);
  } catch (error) {
    await owner.dispose().catch(() => undefined);
    throw error;
  }
}

async function compose(options: ServiceOptions, owner: DisposableStack): Promise<Services> {
  const { paths, settings, log, env, hidden } = options;
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
  const traces = owner.add(new TraceStore(paths.tracesDb));
  owner.add(announceSessions(recorder, bus));
  const limits = () => ({
    keepDays: settings.get('traces.keepDays'),
    maxMegabytes: settings.get('traces.maxMegabytes'),
  });
  owner.add(scheduleRetention(recorder, limits, log));
  const codexDirectories = codexSessionDirectories(env, settings.get('sessions.codexHome'));
  const reader = owner.add(
    new ReaderThread({
      workerFile: join(import.meta.dirname, 'reader.cjs'),
      tracesDb: paths.tracesDb,
      codexDirectories,
    }),
  );
  const redactor = new Redactor();
  const codexFiles = new CodexSessionFiles(codexDirectories, redactor, {
    leftOut: () => traces.deletedReplays(),
    summarise: file => reader.read('codexSummary', file),
  });
  const inLog = { hide: (value: string) => void hidden.add(value), forget: (value: string) => hidden.delete(value) };
  const secrets = new HiddenValues([recorder, reader, redactor, inLog]);
  secrets.keep(secretsOf(env));
  owner.add(recorder.onCredential(value => secrets.hide([value])));

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

  let runningTrials = () => 0;
  const trials = onDemand(async () => {
    releaseOptimizers();
    const { createTrialServices } = await import('./trialServices.ts');
    const services = owner.add(
      await createTrialServices({
        ...{ ...options, bus, clock, recorder, traces, codexFiles, proxy, port, redactor },
        hide: values => secrets.keep(values),
      }),
    );
    runningTrials = services.runningTrials;
    return services;
  });
  // Where there were trials, the end of the last server may have cut some off, whose sandboxes are still there.
  if (existsSync(paths.coachDb)) await trials();

  const sessions = domain(sessionsApi, sessionHandlers({ store: traces, files: codexFiles, reader, recorder, clock }));
  const proxied = domain(
    proxyApi,
    proxyHandlers({
      ...{ service: proxy, recorder, store: traces, port, defaultHost: hostOf, hosts, upstreams: overrides },
      hide: values => secrets.hide(values),
      startReplay: async (reference, pace) => {
        const { openReplaySource } = await import('./proxy/replay/reference.ts');
        const { startReplay } = await import('./proxy/replay/replayServer.ts');
        const source = await openReplaySource(reference, traces, { redactor, files: codexFiles });
        return startReplay(source, log, { pace });
      },
    }),
  );
  const domains: Domains = {
    sessions: async () => sessions,
    proxy: async () => proxied,
    tasks: async () => (await trials()).domains.tasks,
    suites: async () => (await trials()).domains.suites,
    runs: async () => (await trials()).domains.runs,
    reviews: async () => (await trials()).domains.reviews,
    agents: async () => (await trials()).domains.agents,
  };
  const taskFiles = onDemand(async () => {
    const { createTaskFiles } = await import('./language/taskFiles.ts');
    return createTaskFiles(async () => (await trials()).history);
  });
  return {
    domains,
    bus,
    taskFiles,
    runningTrials: () => runningTrials(),
    tracedConnections: () => proxy.openConnections(),
    giveWay: () => proxy.giveWay(),
    endRecording: () => recorder.dispose(),
    dispose: () => owner.dispose(),
  };
}

function hostOf(agent: string): string {
  const known = agents.find(({ id }) => id === agent) ?? recordedAgents.find(({ id }) => id === agent);
  return known?.apiHosts[0] ?? 'api.openai.com';
}
