import { encodedRuns } from './encodedSecrets.ts';
import { KnownValues, minKnownLength } from './knownValues.ts';
import { type LongRun, longRuns } from './longRuns.ts';
import { namedSecrets } from './namedSecrets.ts';
import type { SecretSpan } from './secretSpan.ts';
import { shapedSecrets } from './shapedSecrets.ts';

export const redacted = '[redacted]';

/** How often text inside text is looked into: base64 of a URL of … */
const maxLayers = 3;

const nothingKnown = new KnownValues();

/**
 * Replaces what looks like a secret, and every occurrence of `known` values (at least 6 characters), by `[redacted]`,
 * also inside percent-encoding, `\u` escapes, base64 and gzip in base64. The same string comes back when there is none.
 * Made for text that is about to be written: logs, traces, exports. Linear in the length of the text.
 */
export function redact(text: string, known: KnownValues | Iterable<string> = nothingKnown): string {
  if (text.length < minKnownLength) return text;
  const values = known instanceof KnownValues ? known : new KnownValues(known);
  return without(text, secretSpans(text, values, maxLayers));
}

/** The secrets in a text by shape, with their 1-based line; the text itself is not repeated. */
export function findSecrets(text: string): { line: number; kind: string }[] {
  const found: { line: number; kind: string }[] = [];
  let line = 1;
  let at = 0;
  for (const { start, kind } of shapedSecrets(text, longRuns(text))) {
    if (kind === 'credentials') continue;
    for (let next = text.indexOf('\n', at); next >= 0 && next < start; next = text.indexOf('\n', at)) {
      line++;
      at = next + 1;
    }
    if (found.at(-1)?.line !== line) found.push({ line, kind });
  }
  return found;
}

function secretSpans(text: string, known: KnownValues, layers: number): SecretSpan[] {
  const runs = longRuns(text);
  const plain = [...known.spans(text), ...shapedSecrets(text, runs), ...namedSecrets(text)];
  return layers === 0 ? plain : [...plain, ...encodedSpans(text, runs, known, layers - 1)];
}

function encodedSpans(text: string, runs: readonly LongRun[], known: KnownValues, layers: number): SecretSpan[] {
  const hidesSecret = (reading: string) => known.isIn(reading) || secretSpans(reading, known, layers).length > 0;
  return encodedRuns(text, runs).filter(run => run.readings()?.some(hidesSecret) ?? true);
}

function without(text: string, spans: SecretSpan[]): string {
  if (spans.length === 0) return text;
  spans.sort((a, b) => a.start - b.start);
  let result = '';
  let at = 0;
  for (const { start, end } of spans) {
    if (start >= at) result += `${text.slice(at, start)}${redacted}`;
    at = Math.max(at, end);
  }
  return result + text.slice(at);
}
