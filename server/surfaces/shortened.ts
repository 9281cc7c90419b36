/** Rows of each list, and characters of each text, of an answer that is too long with more. */
const measures = [
  ...[500, 200, 100, 50, 20].map(rows => ({ rows, characters: Infinity })),
  { rows: 20, characters: 1000 },
  { rows: 5, characters: 200 },
];

interface Shortened {
  readonly text: string;
  /** What was left out; null when it is all there. */
  readonly note: string | null;
}

/** A value as JSON of about so many characters at most: lists lose their ends where it has more, and at last texts do. */
export function shortened(value: unknown, maxLength: number): Shortened {
  const whole = toText(value);
  if (whole.length <= maxLength) return { text: whole, note: null };
  let outcome: Shortened = { text: whole, note: null };
  for (const measure of measures) {
    const leftOut = new Map<string, number>();
    const text = toText(cut(value, measure, '', leftOut));
    const parts = [...leftOut].map(([path, count]) => `${count.toLocaleString('en-US')} ${path}`);
    outcome = { text, note: `Left out, as the answer is too long: ${parts.join(', ')}.` };
    if (text.length <= maxLength) break;
  }
  return outcome;
}

function cut(value: unknown, measure: (typeof measures)[number], path: string, leftOut: Map<string, number>): unknown {
  const note = (what: string, count: number) => leftOut.set(what, (leftOut.get(what) ?? 0) + count);
  if (typeof value === 'string' && value.length > measure.characters) {
    note(`characters of ${path}`, value.length - measure.characters);
    return `${value.slice(0, measure.characters)}…`;
  }
  if (Array.isArray(value)) {
    if (value.length > measure.rows) note(`rows of ${path}`, value.length - measure.rows);
    return value.slice(0, measure.rows).map(item => cut(item, measure, path, leftOut));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      return [name, cut(inner, measure, path === '' ? name : `${path}.${name}`, leftOut)];
    }),
  );
}

function toText(value: unknown): string {
  return JSON.stringify(value ?? null, null, 2);
}
