/** Stands in recordings where the agent's working directory was. */
export const cwdMark = '<cwd>';

/**
 * What differs between two runs of the same commands, and what stands in its place when outputs are compared. Some
 * agents send outputs as JSON, in which a line begins after `\\n`.
 */
const varying: readonly (readonly [RegExp, string])[] = [
  [/\r\n/g, '\n'],
  [/(?:\b|(?<=\\[nrt]))Chunk ID: [0-9a-f]+/g, 'Chunk ID: <id>'],
  [/(?:\b|(?<=\\[nrt]))Original token count: \d+/g, 'Original token count: <n>'],
  [/(?:\b|(?<=\\[nrt]))(Process Group PGID|Background PIDs): \d[\d, ]*/g, '$1: <n>'],
  [/(?:\b|(?<=\\[nrt]))duration_ms:? \d+(\.\d+)?/g, 'duration_ms <time>'],
  [/(?:\b|(?<=\\[nrt]))\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?/g, '<time>'],
  [/(?:\b|(?<=\\[nrt]))\d+(\.\d+)? ?(ms|milliseconds|s|secs?|seconds)\b/g, '<time>'],
  [/(\/private)?(\/tmp|\/var\/tmp|\/var\/folders\/[^\s/]+\/[^\s/]+\/T)\/[^\s'"`:;,)\]}]+/g, '<tmp>'],
  [/[ \t]+$/gm, ''],
];

/** A tool's output without what may differ from run to run: durations, ids, the working directory, temporary paths. */
export function normaliseOutput(output: string, cwd: string | null): string {
  const placed = cwd === null ? output : replaceDirectory(output, cwd, cwdMark);
  return varying.reduce((text, [pattern, mark]) => text.replace(pattern, mark), placed).trimEnd();
}

/**
 * What stands before an absolute path: no name that it would go on (`src/app`, `@/app`, `[id]/app`, `http://app`), but
 * an escaped line end, a colour, an option's letter or a URL's empty host.
 */
const pathBegin = String.raw`(?:(?<![\p{L}\p{N}_.\-/@~*)\]}])|(?<=\\[nrt]|\[[\d;]*m|(?:^|\s)-[A-Za-z]|:\/\/))`;
/** The name ends: `/app-2` and `/app.js` are others. */
const pathEnd = String.raw`(?![\p{L}\p{N}_\-]|\.[\p{L}\p{N}_])`;

/** The text with another directory wherever this one is named, alone or before a path in it. The root stays. */
export function replaceDirectory(text: string, directory: string, other: string): string {
  const bare = directory.replace(/\/+$/, '');
  if (bare === '' || !text.includes(bare)) return text;
  const literal = bare.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return text.replaceAll(new RegExp(`${pathBegin}(?:/private)?${literal}${pathEnd}`, 'gu'), () => other);
}

/** The same JSON with every string mapped. */
export function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map(member => mapStrings(member, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapStrings(member, map)]));
}
