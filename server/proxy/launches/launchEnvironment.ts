import { baseUrlVariables } from '../../../protocol/proxy.ts';
import { hostEntries, hostPattern, type Place } from '../hostPatterns.ts';
import type { ModelEndpoint } from '../hosts.ts';
import { isLocal } from './baseUrls.ts';

/** Variables with which an agent would go past the proxy, or through another one. */
const stale = [...baseUrlVariables, 'OPENAI_PROXY', 'ALL_PROXY', 'all_proxy', 'SSL_CERT_DIR'];

/** Where programs look for certificates before they look at SSL_CERT_FILE. */
const bundleVariables = [
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'PIP_CERT',
  'AWS_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
  // Whole, too: a company's root may stand in the user's own.
  'NODE_EXTRA_CA_CERTS',
] as const;

/**
 * The environment in which an agent is recorded. HTTP_PROXY is left alone: no model that we know is asked without TLS, and
 * through the proxy no plain-HTTP server of a private network can be reached.
 */
export function launchEnvironment(place: {
  /** Null for a shell that names no launch. */
  readonly token: string | null;
  readonly port: number;
  readonly bundleFile: string;
}): Record<string, string | null> {
  // The proxy is spoken to in plain HTTP: with https:// Codex loses minutes on every turn.
  const credentials = place.token === null ? '' : `coach:${place.token}@`;
  const proxy = `http://${credentials}127.0.0.1:${place.port}`;
  const direct = 'localhost,127.0.0.1,::1';
  return {
    ...Object.fromEntries(stale.map(name => [name, null])),
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    NO_PROXY: direct,
    no_proxy: direct,
    // Claude Code's background agents share a server that has the environment of whoever started it.
    CLAUDE_CODE_DISABLE_AGENT_VIEW: '1',
    CODEX_CA_CERTIFICATE: place.bundleFile,
    SSL_CERT_FILE: place.bundleFile,
    ...Object.fromEntries(bundleVariables.map(name => [name, place.bundleFile])),
  };
}

/** The same where one of these models is asked without TLS: programs look in HTTP_PROXY then, curl only in the small one. */
export function withPlainModels(
  env: Record<string, string | null>,
  models: readonly ModelEndpoint[],
): Record<string, string | null> {
  const isAsked = models.some(model => model.scheme === 'http' && !isLocal(model));
  const proxy = env['HTTPS_PROXY'] ?? null;
  return isAsked ? { ...env, HTTP_PROXY: proxy, http_proxy: proxy } : env;
}

/**
 * The same with the user's own exceptions from proxying (`NO_PROXY`), such as a company's hosts: those that cover a model
 * host are left out, since they would lead past the recording.
 */
export function withOwnExceptions(
  env: Record<string, string | null>,
  own: string,
  models: readonly Place[],
): Record<string, string | null> {
  const kept = hostEntries(own).filter(entry => {
    const covers = hostPattern(entry);
    return covers !== null && !models.some(covers);
  });
  const direct = [env['NO_PROXY'], ...kept].filter(Boolean).join(',');
  return { ...env, NO_PROXY: direct, no_proxy: direct };
}
