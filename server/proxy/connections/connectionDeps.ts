import type { Socket } from 'node:net';
import { CoachError } from '../../../protocol/errors.ts';
import type { UpstreamOverride } from '../../../protocol/proxy.ts';
import type { Log } from '../../base/log.ts';
import type { Recorder, Tap } from '../../traces/recorder/recorder.ts';
import type { HttpHead } from '../../traces/wire/httpHead.ts';
import type { BudgetGuard } from '../budget/budget.ts';
import type { Authority } from '../certificates/authority.ts';
import type { TrustSign } from '../certificates/distrust.ts';
import type { Place } from '../hostPatterns.ts';
import type { ModelEndpoint, ModelHosts } from '../hosts.ts';
import type { LaunchRegistry, LaunchState } from '../launches/launches.ts';
import { mayReach } from '../launches/launchScope.ts';
import type { AddressPolicy } from '../upstream/addressPolicy.ts';
import type { Destination, Upstreams } from '../upstream/upstream.ts';
import { proxyToken } from './credentials.ts';
import { answerError } from './frontDoor.ts';

export interface ConnectionDeps {
  readonly authority: Authority;
  readonly hosts: ModelHosts;
  readonly policy: AddressPolicy;
  readonly upstreams: Upstreams;
  readonly launches: LaunchRegistry;
  /** Where the traffic of a host goes instead, by the launch or else by the user's own settings. */
  readonly overrideFor: (launch: LaunchState | null, host: string) => UpstreamOverride | null;
  readonly budgets: BudgetGuard;
  readonly recorder: Recorder;
  /** A model host was reached, or was not for this reason. */
  readonly tried: (host: string, launch: LaunchState | null, failure: CoachError | null) => void;
  /** What an intercepted connection tells of its program's trust in our certificate. */
  readonly trust: (host: string, program: string, sign: TrustSign) => void;
  readonly log: Log;
  /** Port of the TCP listener, for the Host check. */
  readonly port: () => number | null;
  /** An intercepted connection was opened; called again with -1 when it is closed. */
  readonly count: (change: 1 | -1) => void;
}

/**
 * Whose proxy request this is: the launch of the listener or of the token, or null for none. Answers it itself, and is
 * `refused` then, for a token that is no longer known, a request that came from ourselves, and a place where the
 * launch may not go.
 */
export function admit(
  socket: Socket,
  head: HttpHead,
  target: ModelEndpoint,
  own: LaunchState | null,
  deps: ConnectionDeps,
): LaunchState | null | 'refused' {
  const { host, port } = target;
  const refuse = (status: number, message: string, headers?: string) => {
    answerError(socket, status, message, headers);
    return 'refused' as const;
  };
  if (deps.upstreams.isOwn(head)) return refuse(508, 'The proxy that Codex Coach was told to use leads back to it.');
  const token = proxyToken(head);
  const launch = own ?? (token === null ? null : deps.launches.withToken(token));
  if (launch === null && token !== null) {
    return refuse(407, 'This launch has ended.', 'proxy-authenticate: Basic realm="codex-coach"\r\n');
  }
  if (own === null) launch?.hold(socket);
  if (launch === null || launch.spec.trialId === null || mayReach(launch, target)) return launch;
  deps.recorder.deny(launch.origin, host, port, 'not a host of the agent’s model API');
  return refuse(403, `${host}:${port} can't be reached from this sandbox.`);
}

/** A connection to a model; null when there is none, and the agent was told why. */
export async function connectModel(
  socket: Socket,
  destination: Destination,
  launch: LaunchState | null,
  deps: ConnectionDeps,
): Promise<Socket | null> {
  try {
    const upstream = await deps.upstreams.toModel(destination);
    deps.tried(destination.host, launch, null);
    return upstream;
  } catch (error) {
    deps.tried(destination.host, launch, CoachError.from(error));
    answerUnreachable(socket, destination, error, launch, deps);
    return null;
  }
}

/** Tells the agent why its way ends here. */
export function answerUnreachable(
  socket: Socket,
  place: Place,
  error: unknown,
  launch: LaunchState | null,
  deps: ConnectionDeps,
): void {
  const { code, message, hint } = CoachError.from(error);
  launch?.fail(message);
  const refused = code === 'proxy.refused';
  // Most programs show the status alone, so that the log has to have the reason.
  if (refused) deps.log.warn('The proxy refused a destination.', { host: place.host, port: place.port, message, hint });
  answerError(socket, refused ? 403 : 502, hint ? `${message.replace(/\.?$/, '.')} ${hint}` : message);
}

/** A copy of the connection's bytes for the recorder; counts the connection as open until it is closed. */
export function openTap(socket: Socket, place: ModelEndpoint, launch: LaunchState | null, deps: ConnectionDeps): Tap {
  deps.count(1);
  socket.once('close', () => deps.count(-1));
  const { host, port, scheme } = place;
  return deps.recorder.tap({ host, port, scheme, launch: launch?.origin ?? null });
}
