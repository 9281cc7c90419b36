import type { Handlers } from '../../protocol/api.ts';
import { proxy } from '../../protocol/proxy.ts';
import type { EventBus } from '../base/bus.ts';
import type { Disposable } from '../base/disposable.ts';
import type { Recorder } from '../traces/recorder.ts';
import type { TraceStore } from '../traces/store.ts';
import { launchEnvironment } from './launchEnvironment.ts';
import { type ProxyService, proxyStopped } from './proxy.ts';
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
}

export function proxyHandlers({
  service,
  recorder,
  store,
  port,
  defaultHost,
}: ProxyHandlerDeps): Handlers<typeof proxy> {
  return {
    status: () => service.status(),
    start: params => service.start(params.port ?? port()),
    async launch({ agent, label, overrides, replay, budget, endpoint }) {
      await service.start(port());
      const opened = await service.open({
        agent,
        label: label ?? null,
        overrides,
        replay,
        defaultHost: endpoint ?? defaultHost(agent),
        realKey: null,
        trialId: null,
        budget: budget ?? null,
        kept: true,
      });
      return opened.launch;
    },
    environment() {
      const { port, caFile, bundleFile } = service.status();
      if (port === null) throw proxyStopped();
      return { env: launchEnvironment({ token: null, port, caFile, bundleFile }) };
    },
    async close({ token }) {
      const opened = service.find(token);
      if (opened === null) return { closed: false, sessionIds: [] };
      await opened.settled();
      await opened.dispose();
      return { closed: true, sessionIds: [...opened.sessionIds()] };
    },
    async test() {
      const steps = await testRoute({ service, recorder, store });
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
