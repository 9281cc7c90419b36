import { isIP } from 'node:net';
import { type HttpHead, HttpSyntaxError, headerOf } from '../../traces/wire/httpHead.ts';
import { canonicalHost, type ModelEndpoint } from '../hosts.ts';

/** Headers in which agents send a model API's key. */
const keyHeaders: ReadonlySet<string> = new Set(['authorization', 'x-api-key', 'x-goog-api-key', 'api-key']);

/** Headers that concern the way to us and no one behind. */
const hopHeaders = /^proxy-/i;

/** The head with the real key wherever the agent put its placeholder, or where this host expects it. */
export function withKey(head: HttpHead, key: string, host: string): HttpHead {
  let placed = false;
  const headers = head.headers.map(([name, value]) => {
    const lower = name.toLowerCase();
    if (!keyHeaders.has(lower)) return [name, value] as const;
    placed = true;
    return [name, lower === 'authorization' ? `Bearer ${key}` : key] as const;
  });
  return placed ? { ...head, headers } : { ...head, headers: [...headers, usualHeader(host, key)] };
}

function usualHeader(host: string, key: string): readonly [string, string] {
  if (host === 'api.anthropic.com') return ['x-api-key', key];
  if (host === 'generativelanguage.googleapis.com') return ['x-goog-api-key', key];
  return ['Authorization', `Bearer ${key}`];
}

/**
 * The same head, if it is for this endpoint and no other that is served behind the same address: a key would reach
 * whoever the Host names there. @throws HttpSyntaxError
 */
export function onlyFor(head: HttpHead, endpoint: ModelEndpoint): HttpHead {
  const named = canonicalHost(headerOf(head, 'host') ?? '');
  const { host, port } = endpoint;
  const whole = /^[a-z]+:/i.test(head.startLine[1]);
  if (!whole && (named === host || named === `${host}:${port}`)) return head;
  throw new HttpSyntaxError('A request for another host on this connection.');
}

/** The head as the host must see it: its own name, the path without our prefix, nothing meant for us. */
export function readdressed(head: HttpHead, target: string, host: string): HttpHead {
  const [method, , version] = head.startLine;
  const headers = head.headers
    .filter(([name]) => !hopHeaders.test(name))
    .map(([name, value]) => (name.toLowerCase() === 'host' ? ([name, host] as const) : ([name, value] as const)));
  if (headerOf(head, 'host') === null) headers.unshift(['Host', host]);
  return { startLine: [method, target, version], headers };
}

/** The head with `Connection: close`, unless it asks for another protocol. */
export function lastOfConnection(head: HttpHead): HttpHead {
  if (headerOf(head, 'upgrade') !== null) return head;
  const headers = head.headers.filter(([name]) => !/^(?:connection|keep-alive)$/i.test(name));
  return { ...head, headers: [...headers, ['Connection', 'close']] };
}

/** An endpoint as the Host header names it. */
export function hostHeader({ scheme, host, port }: ModelEndpoint): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return port === (scheme === 'https' ? 443 : 80) ? name : `${name}:${port}`;
}

/** `coach:<token>` of the proxy's address, as every client sends it with its requests to a proxy. */
export function proxyToken(head: HttpHead): string | null {
  const encoded = /^Basic\s+([A-Za-z0-9+/=]+)$/i.exec(headerOf(head, 'proxy-authorization') ?? '')?.[1];
  if (encoded === undefined) return null;
  const [, token] = /^coach:(.+)$/.exec(Buffer.from(encoded, 'base64').toString('latin1')) ?? [];
  return token ?? null;
}
