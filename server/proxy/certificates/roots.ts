import { readFileSync } from 'node:fs';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/** Where distributions keep their bundle of root certificates: Debian, Fedora, openSUSE, Alpine and macOS. */
const bundlePlaces = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * What programs of this machine trust, as PEM certificates: SSL_CERT_FILE or the distribution's bundle, the
 * platform's store, Node's own list and NODE_EXTRA_CA_CERTS. A company's own root is in one of them.
 */
export function systemRoots(env: NodeJS.ProcessEnv): string[] {
  const found = new Set<string>();
  const places = env['SSL_CERT_FILE'] ? [env['SSL_CERT_FILE']] : bundlePlaces;
  const file = places.map(certificatesOf).find(certificates => certificates.length > 0);
  for (const list of [file ?? [], getCACertificates('system'), getCACertificates('default')]) {
    for (const certificate of list) found.add(certificate.trim());
  }
  return [...found];
}

const contexts = new Map<string, SecureContext>();

/** Trust for connections to the real hosts, with an authority's file on top. Made once for the same files: it costs ms. */
export function upstreamContext(env: NodeJS.ProcessEnv, caFile: string | undefined): SecureContext {
  const key = JSON.stringify([env['SSL_CERT_FILE'], caFile]);
  let context = contexts.get(key);
  if (context === undefined) {
    const added = caFile === undefined ? [] : certificatesOf(caFile);
    context = createSecureContext({ ca: [...systemRoots(env), ...added], minVersion: 'TLSv1.2' });
    contexts.set(key, context);
  }
  return context;
}

function certificatesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  } catch {
    return [];
  }
}
