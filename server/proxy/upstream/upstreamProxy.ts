import { isIP } from 'node:net';
import { CoachError } from '../../../protocol/errors.ts';
import { hostEntries, hostPattern, type Place } from '../hostPatterns.ts';
import { canonicalHost } from '../hosts.ts';
import { literalAddress, reservedKind } from './addresses.ts';

/** The proxy of the outer world, which connections go through. */
export interface UpstreamProxy {
  /** The variable that names it. */
  readonly variable: string;
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** Value of `Proxy-Authorization`. */
  readonly authorization: string | null;
}

const variables = {
  https: ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'],
  http: ['http_proxy', 'HTTP_PROXY', 'ALL_PROXY', 'all_proxy'],
} as const;

/**
 * The proxy that this machine's environment asks for on the way to a place, or null for a direct connection: always
 * to loopback, to what NO_PROXY lists, and when the variable names this very proxy, as it does for a server that was
 * started from a recorded terminal.
 * @throws CoachError `proxy.upstream` for a proxy that can't be used
 */
export function upstreamProxyOf(
  scheme: 'https' | 'http',
  place: Place,
  env: NodeJS.ProcessEnv,
  ownPort: number | null,
): UpstreamProxy | null {
  const variable = variables[scheme].find(name => env[name]);
  if (variable === undefined || isDirect(place, env)) return null;
  const proxy = parseProxy(variable, env[variable] ?? '');
  const local = reservedKind(literalAddress(proxy.host) ?? '1.1.1.1') === 'loopback';
  return local && (proxy.port === ownPort || proxy.ours) ? null : proxy;
}

function isDirect(place: Place, env: NodeJS.ProcessEnv): boolean {
  const literal = literalAddress(place.host);
  if (literal !== null && reservedKind(literal) === 'loopback') return true;
  return hostEntries(env['NO_PROXY'] || env['no_proxy'] || '').some(entry => hostPattern(entry)?.(place) ?? false);
}

function parseProxy(variable: string, value: string): UpstreamProxy & { readonly ours: boolean } {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    // The value stays out of the message: it may hold a password.
    throw new CoachError('proxy.upstream', `${variable} is no http:// or https:// proxy.`, {
      hint: 'Other kinds, such as SOCKS, are not supported.',
    });
  }
  const secure = url.protocol === 'https:';
  const user = decoded(url.username);
  const credentials = Buffer.from(`${user}:${decoded(url.password)}`).toString('base64');
  const host = canonicalHost(url.hostname.replace(/^\[|\]$/g, ''));
  return {
    variable,
    secure,
    host,
    port: Number(url.port) || (secure ? 443 : 80),
    authorization: user === '' ? null : `Basic ${credentials}`,
    ours: user === 'coach',
  };
}

/** A bare `%` stands for itself in what people write into their environment. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A place as CONNECT and Host name it. */
export function authorityOf({ host, port }: Place): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
