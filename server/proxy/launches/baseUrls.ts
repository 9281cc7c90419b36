import { CoachError } from '../../../protocol/errors.ts';
import type { Launch, UpstreamOverride } from '../../../protocol/proxy.ts';
import { type ModelEndpoint, type ModelHosts, modelEndpoint } from '../hosts.ts';
import { literalAddress, reservedKind } from '../upstream/addresses.ts';
import { overrideOf } from './launches.ts';

/** Base URLs of an agent, by the variable or the setting that names them. */
export type BaseUrls = Readonly<Record<string, string>>;

/** How an agent goes on to where its base URLs lead, and is recorded on the way. */
export interface BaseUrlRoute {
  /** Hosts that are recorded for this launch alone. */
  readonly overrides: readonly UpstreamOverride[];
  /** URLs in whose place the agent is given the launch's own. */
  readonly led: BaseUrls;
  /** Where that one leads; null without any. */
  readonly endpoint: string | null;
}

export interface RecordedPlaces {
  readonly hosts: ModelHosts;
  /** The user's own upstreams. */
  readonly upstreams: readonly UpstreamOverride[];
  /** The proxy's. */
  readonly port: number | null;
}

/**
 * A URL stays where the proxy decrypts what goes there, which it also does for another https host on the usual port.
 * Else, for a place without TLS, on this machine or on another port, the agent is given the URL of its launch in its
 * place. There can be one such place.
 * @throws CoachError `input.invalid` for what can't be recorded: without its URL the agent would go elsewhere with its key
 */
export function routeBaseUrls(urls: BaseUrls, places: RecordedPlaces): BaseUrlRoute {
  const led: Record<string, string> = {};
  const overrides: UpstreamOverride[] = [];
  let endpoint: string | null = null;
  for (const [name, value] of Object.entries(urls)) {
    const { origin, place } = parseBaseUrl(name, value);
    const known = isRecorded(place, places);
    if (known || (place.scheme === 'https' && place.port === 443 && !isLocal(place))) {
      if (!known && overrideOf(place.host, overrides) === null) overrides.push({ host: place.host, target: origin });
    } else {
      endpoint ??= origin;
      if (endpoint !== origin) throw secondPlace(name, origin, endpoint);
      led[name] = value;
    }
  }
  return { overrides, led, endpoint };
}

/** A recording answers whatever the agent would have asked. */
export function routeToRecording(urls: BaseUrls): BaseUrlRoute {
  return { overrides: [], led: urls, endpoint: null };
}

/** URLs with which the agent's requests come to its launch, and go on from there. */
export function routedUrls(led: BaseUrls, { port, token }: Pick<Launch, 'port' | 'token'>): Record<string, string> {
  const ours = Object.entries(led).map(([name, value]) => {
    const [, login = '', path = ''] = /^https?:\/\/([^/?#@]*@)?[^/?#]*(.*)$/i.exec(value.trim()) ?? [];
    return [name, `http://${login}127.0.0.1:${port}/${token}${path}`];
  });
  return Object.fromEntries(ours);
}

/** Agents ask no proxy for a place on this machine: there only what leads to this one is recorded. */
function isRecorded(place: ModelEndpoint, { hosts, upstreams, port }: RecordedPlaces): boolean {
  if (isLocal(place)) return place.scheme === 'http' && place.port === port;
  if (place.scheme === 'http') return false;
  const isElsewhere = place.port === 443 && overrideOf(place.host, upstreams) !== null;
  return isElsewhere || hosts.has('https', place.host, place.port);
}

/** Whether a place is on this machine, where programs ask no proxy. */
export function isLocal({ host }: ModelEndpoint): boolean {
  const address = literalAddress(host);
  return address !== null && reservedKind(address) === 'loopback';
}

/** Messages name no user, password or path. */
function parseBaseUrl(name: string, value: string): { origin: string; place: ModelEndpoint } {
  const url = URL.parse(value.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CoachError('input.invalid', `${name} is no http:// or https:// URL.`, { hint: 'Mend it, or unset it.' });
  }
  try {
    return { origin: url.origin, place: modelEndpoint(url.origin) };
  } catch (cause) {
    throw new CoachError('input.invalid', `${name}=${url.origin} can't be recorded.`, {
      cause,
      hint: `With https:// give the host's name, not its address. Or unset ${name}.`,
    });
  }
}

function secondPlace(name: string, origin: string, first: string): CoachError {
  return new CoachError('input.invalid', `${name}=${origin} can't be recorded beside ${first}.`, {
    hint: `Of places without TLS, on this machine or on another port, a launch records one: unset ${name}, or the other. A host with TLS may also be named in COACH_MODEL_HOSTS.`,
  });
}
