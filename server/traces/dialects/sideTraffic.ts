/** What traffic with a model host is for when it calls no model. */
export type SideKind = 'models' | 'tokens' | 'account' | 'auth' | 'telemetry' | 'git' | 'tools' | 'lookup' | 'socket';

/** By what agents were seen to ask, the first that fits. What is no POST is a lookup where none does. */
const kinds: readonly (readonly [SideKind, RegExp])[] = [
  ['git', /\.git\/|\/(?:info\/refs|git-(?:upload|receive)-pack)$/],
  ['tokens', /\/(?:count_tokens|input_tokens)$|:countTokens$/],
  [
    'telemetry',
    /\/(?:otlp|metrics|analytics|analytics-events|telemetry|event_logging|statsig|rgstr|log_event|feedback|envelope)(?:\/|$)|\/api\/eval\/[^/]+$|:record\w+$/,
  ],
  ['auth', /\/(?:oauth2?|auth|token|login|deviceauth|api_key)(?:\/|$)/],
  ['tools', /\/(?:mcp|v1\/mcp_servers)(?:\/|$)/],
  [
    'account',
    /\/(?:wham|accounts?(?!\/[^/]+\/ai\/)|organizations|usage|limits|billing|plugins|connectors|features|settings|bootstrap|profile|claude_\w+|ps|me|credits)(?:\/|$)|:(?:loadCodeAssist|onboardUser|retrieveUserQuota|fetchAdminControls)$/,
  ],
  ['models', /\/(?:models|tags|show)$/],
  [
    'lookup',
    /\/(?:files|uploads|vector_stores)(?:\/|$)|\/(?:conversations|threads)(?:\/(?!runs(?:\/|$))[^/]+(?:\/(?:items|messages)(?:\/[^/]+)?)?)?$|\/(?:responses|batches|runs)\/[^/]+[/:]cancel$/,
  ],
];

/** Null for a request that may be a model call of a kind that is not known. */
export function sideKind(method: string, path: string): SideKind | null {
  const known = kinds.find(([, pattern]) => pattern.test(path))?.[0];
  return known ?? (method === 'POST' ? null : 'lookup');
}

/** A path as a server may read it: its letters decoded, no empty parts and no dots. Who calls a model may write either. */
export function plainPath(path: string): string {
  if (!/[%#]|\/\.{0,2}(?:\/|$)/.test(path)) return path;
  const written = path.split('#')[0] ?? '';
  const read = written.replace(/%([0-7][0-9A-Fa-f])/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const parts: string[] = [];
  for (const part of read.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** A path without the ids in it, so that what is counted stays a short list. */
export function countedPath(path: string): string {
  return path
    .split('/')
    .map(part => (/^[A-Za-z]{0,12}[-_]?(?=[\w-]*\d)[A-Za-z0-9_-]{16,}$|^\d{3,}$/.test(part) ? ':id' : part))
    .join('/')
    .slice(0, 200);
}
