/**
 * Shapes of secrets. Linear patterns only (no nested quantifiers): they run over hostile text of any size.
 * Issue trackers of comparable tools show these to be the ones that leak most.
 */
const shapes: readonly RegExp[] = [
  /\bsk-ant-[A-Za-z0-9_-]{16,}/g,
  /\bsk-or-v1-[A-Za-z0-9]{16,}/g,
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bglpat-[A-Za-z0-9_-]{16,}/g,
  /\bnpm_[A-Za-z0-9]{30,}/g,
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g,
  /\bhf_[A-Za-z0-9]{20,}/g,
  /\bgsk_[A-Za-z0-9]{20,}/g,
  /\bxai-[A-Za-z0-9]{20,}/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\bAKIA[A-Z0-9]{16}\b/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\s\\]*-----END [A-Z ]*PRIVATE KEY-----/g,
];

const bearer = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{12,}/gi;
const urlPassword = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,200}:)[^\s/@]{3,200}@/gi;
/** `DB_PASSWORD=…` as in environments, and `"password": "…"` as in JSON; not `const token = next()`. */
const assignment =
  /(\b[A-Z0-9_]{0,60}(?:PASSWORD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY)[A-Z0-9_]{0,20}=["']?)[^\s"',;]{6,}/g;
const member =
  /("[A-Za-z0-9_-]{0,60}(?:password|secret|api_?key|access_token|refresh_token|id_token)"\s{0,3}:\s{0,3}")[^"\\]{6,}/gi;

export const redacted = '[redacted]';

/**
 * Replaces what looks like a secret, and every occurrence of `known` values (at least 6 characters), by `[redacted]`.
 * Made for text that is about to be written: logs, traces, exports.
 */
export function redact(text: string, known: Iterable<string> = []): string {
  let result = text;
  for (const value of known) if (value.length >= 6) result = result.replaceAll(value, redacted);
  for (const shape of shapes) result = result.replace(shape, redacted);
  return result
    .replace(bearer, `$1 ${redacted}`)
    .replace(urlPassword, `$1${redacted}@`)
    .replace(assignment, `$1${redacted}`)
    .replace(member, `$1${redacted}`);
}

/** The secrets in a text by shape, with their 1-based line; the text itself is not repeated. */
export function findSecrets(text: string): { line: number; kind: string }[] {
  const found: { line: number; kind: string }[] = [];
  text.split('\n').forEach((content, index) => {
    if (shapes.some(shape => content.search(shape) >= 0)) found.push({ line: index + 1, kind: 'key' });
    else if (content.search(urlPassword) >= 0) found.push({ line: index + 1, kind: 'password in URL' });
  });
  if (found.length === 0 && /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    found.push({ line: 1, kind: 'private key' });
  return found;
}
