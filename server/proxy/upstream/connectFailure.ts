import { CoachError } from '../../../protocol/errors.ts';

/** What OpenSSL calls an authority that is not among those trusted (`openssl verify`, codes 18 to 21 and 27). */
const untrusted: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
]);

const trustHint =
  'Codex Coach does not trust the authority that signed it. End its server with codex-coach server stop, and start it where NODE_EXTRA_CA_CERTS or SSL_CERT_FILE names that authority’s PEM file.';

/** Why a connection could not be opened. `name`: the place, as people are told it. */
export function connectFailure(name: string, cause: Error & { code?: string }): CoachError {
  const isUntrusted = untrusted.has(cause.code ?? '');
  // Several addresses of one name fail together, without a message.
  const tried = cause instanceof AggregateError ? cause.errors.map(error => (error as Error).message) : [cause.message];
  // Node adds advice for the program that connects, which is not the one that reads this.
  const reason = isUntrusted ? (tried[0] ?? '').replace(/;.*/s, '') : tried.join(', ');
  return new CoachError('proxy.upstream', `Can't reach ${name}: ${reason}`, {
    cause,
    ...(isUntrusted ? { hint: trustHint } : {}),
  });
}
