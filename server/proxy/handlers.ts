import type { Handlers } from '../../protocol/api.ts';
import { type Launch, proxy } from '../../protocol/proxy.ts';
import type { EventBus } from '../base/bus.ts';
import type { Disposable } from '../base/disposable.ts';
import type { Recorder } from '../traces/recorder.ts';
import type { TraceStore } from '../traces/store.ts';
import { type ModelHosts, modelHosts } from './hosts.ts';
import { launchEnvironment, withOwnExceptions } from './launchEnvironment.ts';
import { type ProxyLaunch, type ProxyService, proxyStopped } from './proxy.ts';
import type { Replay } from './replay/replayServer.ts';
import { testRoute } from './routeTest.ts';

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
  /** `pace`: factor on the recorded times. */
  startReplay(reference: string, pace: number): Promise<Replay>;
}

export function proxyHandlers({
  service,
  recorder,
  store,
  port,
  defaultHost,
  hosts,
  startReplay,
}: ProxyHandlerDeps): Handlers<typeof proxy> {
  const given = ({ launch }: ProxyLaunch, noProxy: string): Launch => ({
    ...launch,
    env: withOwnExceptions(launch.env, noProxy, hosts.endpoints),
  });
  /** Launches that a recording answers: they end with the server. */
  const replays = new Map<string, { readonly opened: ProxyLaunch; readonly answers: Replay }>();
  return {
    status: () => service.status(),
    start: params => service.start(params.port ?? port()),
    async launch({ agent, label, overrides, replay, recording, budget, endpoint, noProxy }) {
      await service.start(port());
      const spec = { agent, label: label ?? null, realKey: null, trialId: null, budget: budget ?? null };
      const host = endpoint ?? defaultHost(agent);
      if (recording === undefined) {
        return given(await service.open({ ...spec, overrides, replay, defaultHost: host, kept: true }), noProxy);
      }
      const answers = await startReplay(recording.reference, recording.pace);
      const targets = [...new Set([host, ...modelHosts])].map(name => ({ host: name, target: answers.origin }));
      const opened = await service
        .open({ ...spec, overrides: targets, replay: true, defaultHost: host, kept: false })
        .catch(async (error: unknown) => {
          await answers.dispose();
          throw error;
        });
      replays.set(opened.launch.token, { opened, answers });
      return given(opened, noProxy);
    },
    environment() {
      const { port, bundleFile } = service.status();
      if (port === null) throw proxyStopped();
      return { env: launchEnvironment({ token: null, port, bundleFile }) };
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
        mismatches: [...(replay?.answers.failures() ?? [])],
      };
    },
    async test() {
      const steps = await testRoute({ service, port: port(), recorder, store });
      return { ok: steps.every(step => step.ok), steps };
    },
  };
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
