import type { Agent } from '../../agents/agent.ts';
import type { InstalledAgent } from '../../agents/install.ts';
import type { EventBus } from '../../base/bus.ts';
import type { Log } from '../../base/log.ts';
import type { LaunchSpec, ProxyLaunch } from '../../proxy/proxy.ts';
import type { Replay } from '../../proxy/replay/replayServer.ts';
import type { Patience } from '../trials/limits.ts';
import type { TrialTraces } from '../trials/trial.ts';
import type { PlanDeps } from './runPlan.ts';
import type { RunStore } from './runStore.ts';

/** What runs need of the rest of the server. */
export interface RunServiceDeps extends PlanDeps {
  readonly store: RunStore;
  readonly bus: EventBus;
  readonly log: Log;
  readonly traces: TrialTraces;
  /** `COACH_HOME/workspaces`: sockets and copies while trials run. */
  readonly workspaces: string;
  install(agent: Agent, signal: AbortSignal): Promise<InstalledAgent>;
  /** Starts the proxy when it is not up, and registers a launch. */
  openLaunch(spec: LaunchSpec): Promise<ProxyLaunch>;
  startReplay(recording: string): Promise<Replay>;
  readonly patience?: Partial<Patience>;
  /** Pause before the second try of a trial; doubled for each one more. Default 1 s. */
  readonly retryPauseMs?: number;
  /** Pause before a judge that failed is asked again; four times as long for each time more. Default 2 s. */
  readonly judgePauseMs?: number;
}
