/** Variables with which an agent would go past the proxy, or through another one. */
const stale = [
  'OPENAI_BASE_URL',
  'OPENAI_API_BASE',
  'OPENAI_API_HOST',
  'OPENAI_HOST',
  'OPENAI_PROXY',
  'ANTHROPIC_BASE_URL',
  'GOOGLE_GEMINI_BASE_URL',
  'ALL_PROXY',
  'all_proxy',
  'SSL_CERT_DIR',
] as const;

/**
 * The environment in which an agent is recorded. HTTP_PROXY is left alone: Codex would use it for plain-HTTP
 * servers on this machine too.
 */
export function launchEnvironment(place: {
  /** Null for a shell that names no launch. */
  readonly token: string | null;
  readonly port: number;
  readonly caFile: string;
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
    CODEX_CA_CERTIFICATE: place.bundleFile,
    SSL_CERT_FILE: place.bundleFile,
    NODE_EXTRA_CA_CERTS: place.caFile,
  };
}
