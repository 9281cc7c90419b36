/** A piece of a text without spaces, quotes or brackets: where keys and base64 stand. */
export interface LongRun {
  readonly start: number;
  readonly end: number;
}

/** Shortest run that can be a key. */
const minRunLength = 18;

/**
 * Runs of letters, digits and `+ / _ . -` of at least 18 characters, in order. Every run of that length holds one of the
 * places that are `minRunLength` apart, so only those are looked at: ordinary text is passed in long steps.
 */
export function longRuns(text: string): LongRun[] {
  const runs: LongRun[] = [];
  let floor = 0;
  for (let probe = minRunLength - 1; probe < text.length; probe += minRunLength) {
    if (!isRunPart(text.charCodeAt(probe))) continue;
    let start = probe;
    while (start > floor && isRunPart(text.charCodeAt(start - 1))) start--;
    let end = probe + 1;
    while (end < text.length && isRunPart(text.charCodeAt(end))) end++;
    if (end - start >= minRunLength) runs.push({ start, end });
    floor = end;
    if (end > probe + minRunLength) probe = end - 1;
  }
  return runs;
}

const runParts = new Uint8Array(128);
for (const character of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/_.-') {
  runParts[character.charCodeAt(0)] = 1;
}

function isRunPart(code: number): boolean {
  return code < 128 && runParts[code] === 1;
}
