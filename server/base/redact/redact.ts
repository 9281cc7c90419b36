import { type EncodedRun, encodedRuns } from './encodedSecrets.ts';
import { KnownValues, minKnownLength } from './knownValues.ts';
import { longRuns } from './longRuns.ts';
import { namedSecrets } from './namedSecrets.ts';
import type { SecretSpan } from './secretSpan.ts';
import { shapedSecrets } from './shapedSecrets.ts';
import { type UnpackBudget, unpackBudget } from './unpack.ts';

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
  return without(text, secretSpans(text, { known: values, budget: unpackBudget() }));
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

interface Search {
  readonly known: KnownValues;
  readonly budget: UnpackBudget;
}

function secretSpans(text: string, search: Search): SecretSpan[] {
  const runs = longRuns(text);
  return [
    ...search.known.spans(text),
    ...shapedSecrets(text, runs),
    ...namedSecrets(text),
    ...encodedRuns(text, runs).filter(run => hidesSecret(run, search, maxLayers - 1)),
  ];
}

/** What can't be looked into as a whole may hold anything. */
function hidesSecret(run: EncodedRun, search: Search, layers: number): boolean {
  return run.readings(search.budget)?.some(reading => holdsSecret(reading, search, layers)) ?? true;
}

function holdsSecret(text: string, search: Search, layers: number): boolean {
  const runs = longRuns(text);
  return (
    search.known.isIn(text) ||
    shapedSecrets(text, runs).length > 0 ||
    namedSecrets(text).length > 0 ||
    (layers > 0 && encodedRuns(text, runs).some(run => hidesSecret(run, search, layers - 1)))
  );
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
