import type { HttpHead } from '../traces/wire/httpHead.ts';

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

/** The head as the host must see it: its own name, the path without our prefix, nothing meant for us. */
export function readdressed(head: HttpHead, target: string, host: string): HttpHead {
  const [method, , version] = head.startLine;
  const headers = head.headers
    .filter(([name]) => !hopHeaders.test(name))
    .map(([name, value]) => (name.toLowerCase() === 'host' ? ([name, host] as const) : ([name, value] as const)));
  return { startLine: [method, target, version], headers };
}
