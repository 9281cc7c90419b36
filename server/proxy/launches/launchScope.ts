import { type ModelEndpoint, modelEndpoint } from '../hosts.ts';
import type { LaunchState } from './launches.ts';

/** Where base-URL requests of a launch go. */
export function endpointOf({ spec }: LaunchState): ModelEndpoint {
  return modelEndpoint(spec.defaultHost);
}

/** Whether a place is part of the agent's model API: all that a trial may reach. */
export function mayReach(launch: LaunchState, place: ModelEndpoint): boolean {
  const usual = place.scheme === 'https' && place.port === 443 && launch.apiHosts.has(place.host);
  return usual || isSame(endpointOf(launch), place);
}

/** The real key, where it belongs and nowhere else. */
export function keyFor(launch: LaunchState | null, place: ModelEndpoint): string | null {
  return launch !== null && isSame(endpointOf(launch), place) ? launch.spec.realKey : null;
}

function isSame(a: ModelEndpoint, b: ModelEndpoint): boolean {
  return a.scheme === b.scheme && a.host === b.host && a.port === b.port;
}
