import type { Handlers } from '../../protocol/api.ts';
import { proxy, type UpstreamOverride } from '../../protocol/proxy.ts';
import type { EventBus } from '../base/bus.ts';
import type { Disposable } from '../base/disposable.ts';
import type { Recorder } from '../traces/recorder/recorder.ts';
import type { TraceStore } from '../traces/store.ts';
import type { Place } from './hostPatterns.ts';
import { canonicalHost, type ModelHosts, modelEndpoint } from './hosts.ts';
import { type BaseUrls, routeBaseUrls, routedUrls, routeToRecording } from './launches/baseUrls.ts';
import { launchEnvironment, withOwnExceptions, withPlainModels } from './launches/launchEnvironment.ts';
import { type LaunchSpec, listensElsewhere, type ProxyLaunch, type ProxyService, proxyStopped } from './proxy.ts';
import type { Replay } from './replay/replayServer.ts';

/** Least time between two `proxy.changed` events. */
const announceMs = 250;

export interface ProxyHandlerDeps {
  readonly service: ProxyService;
  readonly recorder: Recorder;
  readonly store: TraceStore;
  /** Port of `start` without one: the setting `proxy.port`. */
  readonly port: () => number;
  /** Host of an agent's base-URL requests; the registry of agents knows it. */
  readonly defaultHost: (agent: string) => string;
  readonly hosts: ModelHosts;
  /** The user's own upstreams: their hosts are recorded, too. */
  readonly upstreams?: readonly UpstreamOverride[];
  /** `pace`: factor on the recorded times. */
  startReplay(reference: string, pace: number): Promise<Replay>;
  /** Values that must not be written anywhere from now on. */
  hide(values: readonly string[]): void;
}

type LaunchParams = Parameters<Handlers<typeof proxy>['launch']>[0];
type Recording = NonNullable<LaunchParams['recording']>;

export function proxyHandlers({
  service,
  recorder,
  store,
  port,
  defaultHost,
  hosts,
  upstreams = [],
  startReplay,
  hide,
}: ProxyHandlerDeps): Handlers<typeof proxy> {
  const placesOfAll = [...hosts.endpoints, ...upstreams.map(toPlace)];
  /** Where the models of a launch are: all that is recorded of it. */
  const placesOf = ({ defaultHost, overrides }: LaunchSpec): Place[] => [
    ...placesOfAll,
    modelEndpoint(defaultHost),
    ...overrides.map(toPlace),
  ];
  /** Launches that a recording answers: they end with the server. */
  const replays = new Map<string, { readonly opened: ProxyLaunch; readonly answers: Replay }>();
  /** Answers a launch from a recording, whichever model it asks. */
  async function openReplay(spec: LaunchSpec, { reference, pace }: Recording): Promise<ProxyLaunch> {
    const names = new Set(placesOf(spec).map(({ host }) => host));
    const answers = await startReplay(reference, pace);
    const overrides = [...names].map(host => ({ host, target: answers.origin }));
    const opened = await service.open({ ...spec, overrides, replay: true }).catch(async (error: unknown) => {
      await answers.dispose();
      throw error;
    });
    // The recording has no token where its own stood.
    hide([opened.launch.token]);
    replays.set(opened.launch.token, { opened, answers });
    return opened;
  }
  async function openLaunch(params: Omit<LaunchParams, 'agent'> & { agent: string | null }) {
    const {
      agent,
      label,
      overrides,
      replay,
      recording,
      budget,
      endpoint,
      noProxy,
      pid = null,
      directory = null,
      baseUrls = {},
      settings = {},
      secrets = [],
    } = params;
    hide(secrets);
    const started = await service.start(port());
    const urls = { ...baseUrls, ...settings };
    const route =
      recording === undefined ? routeBaseUrls(urls, { hosts, upstreams, port: started.port }) : routeToRecording(urls);
    const spec: LaunchSpec = {
      agent,
      label: label ?? null,
      overrides: [...overrides, ...route.overrides],
      replay,
      defaultHost: route.endpoint ?? endpoint ?? defaultHost(agent ?? ''),
      realKey: null,
      trialId: null,
      budget: budget ?? null,
      kept: recording === undefined,
      pid,
      directory,
    };
    const { launch } = recording === undefined ? await service.open(spec) : await openReplay(spec, recording);
    const env = withOwnExceptions(withPlainModels(launch.env, hosts.endpoints), noProxy, placesOf(spec));
    const led = routedUrls(route.led, launch);
    return {
      ...launch,
      env: { ...env, ...baseUrls, ...only(led, name => name in baseUrls) },
      settings: only(led, name => name in settings),
    };
  }
  return {
    status: () => service.status(),
    async start({ port: wanted }) {
      const status = await service.start(wanted ?? port());
      if (wanted && status.port !== wanted) throw listensElsewhere(status.port, wanted);
      return status;
    },
    launch: openLaunch,
    async environment({ noProxy, pid, baseUrls, settings, secrets = [] }) {
      hide(secrets);
      const { port, bundleFile } = service.status();
      if (port === null) throw proxyStopped();
      const { overrides, led } = routeBaseUrls({ ...baseUrls, ...settings }, { hosts, upstreams, port });
      if (overrides.length === 0 && Object.keys(led).length === 0) {
        const env = withPlainModels(launchEnvironment({ token: null, port, bundleFile }), hosts.endpoints);
        return { env: { ...withOwnExceptions(env, noProxy, placesOfAll), ...baseUrls }, token: null };
      }
      const shell = { agent: null, label: 'shell', overrides: [], replay: false };
      return openLaunch({ ...shell, noProxy, pid, baseUrls, settings });
    },
    async close({ token }) {
      const replay = replays.get(token);
      replays.delete(token);
      const opened = replay?.opened ?? service.find(token);
      if (opened === null) return { closed: false, sessionIds: [] };
      await opened.settled();
      await opened.dispose();
      await replay?.answers.dispose();
      return {
        closed: true,
        sessionIds: [...opened.sessionIds()],
        unreached: [...opened.unreached()],
        mismatches: replay === undefined ? [] : mismatchesOf(replay.answers),
      };
    },
    async test() {
      const { testRoute } = await import('./routeTest.ts');
      const steps = await testRoute({ service, port: port(), recorder, store });
      return { ok: steps.every(step => step.ok), steps };
    },
  };
}

function toPlace({ host }: UpstreamOverride): Place {
  return { host: canonicalHost(host), port: 443 };
}

function only(urls: BaseUrls, isMeant: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(urls).filter(([name]) => isMeant(name)));
}

/** An agent that asks nothing of its recording may have asked a real model. */
function mismatchesOf(answers: Replay): string[] {
  const failures = [...answers.failures()];
  if (failures.length > 0 || answers.answered() > 0) return failures;
  return ['Nothing was asked of it: the agent made no request, or made it where no model is known to be.'];
}

/** Tells every connection how the proxy is, at most four times a second. */
export function announceProxy(service: ProxyService, bus: EventBus): Disposable {
  let timer: NodeJS.Timeout | null = null;
  const subscription = service.onChange(() => {
    timer ??= setTimeout(() => {
      timer = null;
      bus.publish(proxy, 'changed', service.status());
    }, announceMs).unref();
  });
  return {
    dispose() {
      subscription.dispose();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
