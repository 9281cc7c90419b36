import { Outcomes, type TestOutcome, type TestStatus } from './outcome.ts';

const subtestMark = '# Subtest: ';

/**
 * Test points of a TAP file (version 13 or 14) that stand for a test, not for a suite with points of its own. Ids have
 * no file: TAP does not tell it.
 * @returns null when there is no plan and no point, or its ids together are longer than any real report's
 */
export function parseTap(text: string): readonly TestOutcome[] | null {
  const point = /^(not )?ok\b(?: \d+)?(?: - )?(.*)$/;
  const outcomes = new Outcomes();
  let path: string[] = [];
  let deepest = 0;
  let seen = false;
  for (const line of text.split(/\r?\n/)) {
    seen ||= /^\s*1\.\.\d+/.test(line);
    const depth = Math.max(0, line.search(/[^ ]/)) / 4;
    if (!Number.isInteger(depth)) continue;
    const said = line.slice(depth * 4);
    if (said.startsWith(subtestMark)) path = [...path.slice(0, depth), unescapeTap(said.slice(subtestMark.length))];
    const match = point.exec(said);
    if (!match) continue;
    seen = true;
    const isSuite = deepest > depth;
    deepest = depth;
    if (isSuite) continue;
    const [name = '', directive = ''] = (match[2] ?? '').split(/\s#\s*(?=skip|todo)/i);
    const failed = match[1] !== undefined;
    const status: TestStatus = directive === '' ? (failed ? 'failed' : 'passed') : 'skipped';
    outcomes.add([...path.slice(0, depth), unescapeTap(name.trim())], status);
  }
  return seen ? outcomes.all() : null;
}

function unescapeTap(text: string): string {
  return text.replaceAll(/\\([\\#])/g, '$1');
}
