import { CoachError } from '../../protocol/errors.ts';
import type { Budget, Launch, ProxyStatus, Unreached, UpstreamOverride } from '../../protocol/proxy.ts';
import type { Usage } from '../../protocol/usage.ts';
import type { AsyncOwner, Disposable } from '../base/disposable.ts';

/** The recording proxy as the rest of the server sees it. */
export interface ProxyService extends AsyncOwner {
  status(): ProxyStatus;
  /**
   * Listens on 127.0.0.1; answers the status at once when it does so already, on whatever port.
   * @throws CoachError `proxy.portInUse` when the port is taken by another program.
   */
  start(port: number): Promise<ProxyStatus>;
  /**
   * Registers an agent's launch. Its token routes, attributes and meters what that agent sends.
   * @throws CoachError `proxy.stopped` before `start`.
   */
  open(spec: LaunchSpec): Promise<ProxyLaunch>;
  /**
   * After the end of an earlier server: listens again where agents expect it and takes up their launches, when there may
   * be any. What stands in the way is logged; the proxy can be started later all the same.
   */
  resume(): Promise<void>;
  /** The open launch of a person with this token, also one of an earlier server; null when there is none. */
  find(token: string): ProxyLaunch | null;
  /** Leaves the port to the server that has taken our place. Agents that are connected go on until they close. */
  giveWay(): void;
  /** Intercepted connections that are open now: while there are any, an agent depends on this process. */
  openConnections(): number;
  onChange(listener: (status: ProxyStatus) => void): Disposable;
}

export interface LaunchSpec {
  /** Null for a shell, in which any may be started. */
  readonly agent: string | null;
  readonly label: string | null;
  readonly overrides: readonly UpstreamOverride[];
  readonly replay: boolean;
  /** Where base-URL requests of this launch go: `api.openai.com`, `gateway.example:8443`, `http://localhost:11434`. */
  readonly defaultHost: string;
  /** Put in place of the agent's credentials in what goes to `defaultHost`; null passes those on. */
  readonly realKey: string | null;
  /** Attribution in the trace's meta. A trial's launch may CONNECT to its API hosts only. */
  readonly trialId: string | null;
  /** Hosts of the agent's model API, beside `defaultHost`. */
  readonly apiHosts?: readonly string[];
  /** Limits of this launch, beside those of its session and of the day. */
  readonly budget?: Budget | null;
  /** Outlives this server: a person's agent goes on with the next one. Never with a real key. */
  readonly kept?: boolean;
  /** The process that closes this launch; null where none is known. */
  readonly pid?: number | null;
  /** Where the agent is started; null where that is not known. */
  readonly directory?: string | null;
}

export interface LaunchMeter {
  /** As reported so far. */
  readonly usage: Usage;
  /** An estimate (characters / 4) for the replies still streaming. */
  readonly streamingTokens: number;
  readonly exchanges: number;
  readonly failures: FailedAttempts;
}

/** Requests for a model in a row that came to nothing; none after one that succeeded. */
export interface FailedAttempts {
  readonly count: number;
  /** Why the last one failed. */
  readonly last: string | null;
}

export interface ProxyLaunch extends AsyncOwner {
  /** Names the launch in traces (`meta.launch`). Not a secret, unlike the token. */
  readonly id: string;
  readonly launch: Launch;
  /** Also accepts this launch's traffic on a Unix socket (no token needed: the socket is the capability). */
  listen(socket: string): Promise<Disposable>;
  meter(): LaunchMeter;
  /** Our words to the agent, once a budget was spent and a request refused; null before. */
  refusal(): string | null;
  /** Sessions that this launch's exchanges were recorded under, oldest first. */
  sessionIds(): readonly string[];
  /** Model hosts that it could not reach when it last tried. */
  unreached(): readonly Unreached[];
  onUsage(listener: () => void): Disposable;
  /** Destroys the open connections of this launch: its agent is gone or must end. */
  abort(): void;
  /** Resolves when all that this launch has sent and received so far is stored and counted in `meter()`. */
  settled(): Promise<void>;
}

/** The proxy does not move: agents were told where it is. */
export function listensElsewhere(port: number | null, wanted: number): CoachError {
  return new CoachError('proxy.portInUse', `The recording proxy listens on port ${port} already, not on ${wanted}.`, {
    hint: 'To use it there, give no port. To move it: codex-coach server stop, then the same again.',
  });
}

export function proxyStopped(): CoachError {
  return new CoachError('proxy.stopped', 'The recording proxy is not running.', {
    hint: 'Start it with: codex-coach proxy start',
  });
}
