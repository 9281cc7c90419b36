import { posix } from 'node:path';
import { type Element, parseXml } from './reportXml.ts';

export type TestStatus = 'passed' | 'failed' | 'skipped';

export interface TestOutcome {
  /** `<file> > <suite> > … > <test>`, see tasks/format.ts. */
  readonly id: string;
  readonly status: TestStatus;
  readonly message: string | null;
  readonly durationMs: number | null;
}

/** Length of all ids of a report together: each repeats its suites, so a small file could ask for terabytes. */
const maxIdChars = 64 * 1024 * 1024;

/**
 * Test cases of a JUnit XML file. Suites nest; a `file` attribute below `workdir` is made relative to it.
 * Tests of one id count as one: passed when all of them passed, failed when one failed.
 * @returns null when it is no JUnit file, or its ids together are longer than any real report's
 */
export function parseJUnit(xml: string, workdir: string): readonly TestOutcome[] | null {
  const root = parseXml(xml);
  if (root === null || !['testsuites', 'testsuite'].includes(root.name)) return null;
  const outcomes: TestOutcome[] = [];
  let idChars = 0;
  const visit = (element: Element, suites: readonly string[]): void => {
    if (element.name === 'testcase') {
      const idParts = toIdParts(element, suites, workdir);
      idChars += lengthOf(idParts);
      if (idChars <= maxIdChars) outcomes.push(toOutcome(element, idParts));
    }
    const inner = element.name === 'testsuite' ? [...suites, element.attributes['name'] ?? ''] : suites;
    for (const child of element.children) visit(child, inner);
  };
  visit(root, []);
  return idChars > maxIdChars ? null : mergeById(outcomes);
}

/**
 * Test points of a TAP file (version 13 or 14) that stand for a test, not for a suite with points of its own. Ids have
 * no file: TAP does not tell it.
 * @returns null when there is no plan and no point, or its ids together are longer than any real report's
 */
export function parseTap(text: string): readonly TestOutcome[] | null {
  const point = /^((?: {4})*)(not )?ok\b(?: \d+)?(?: - )?(.*)$/;
  const outcomes: TestOutcome[] = [];
  let path: string[] = [];
  let deepest = 0;
  let seen = false;
  let idChars = 0;
  for (const line of text.split(/\r?\n/)) {
    seen ||= /^\s*1\.\.\d+/.test(line);
    const subtest = /^((?: {4})*)# Subtest: (.*)$/.exec(line);
    if (subtest) path = [...path.slice(0, (subtest[1]?.length ?? 0) / 4), unescapeTap(subtest[2] ?? '')];
    const match = point.exec(line);
    if (!match) continue;
    seen = true;
    const depth = (match[1]?.length ?? 0) / 4;
    const isSuite = deepest > depth;
    deepest = depth;
    if (isSuite) continue;
    const [name = '', directive = ''] = (match[3] ?? '').split(/\s#\s*(?=skip|todo)/i);
    const failed = match[2] !== undefined;
    const status: TestStatus = directive === '' ? (failed ? 'failed' : 'passed') : 'skipped';
    const idParts = [...path.slice(0, depth), unescapeTap(name.trim())];
    idChars += lengthOf(idParts);
    if (idChars > maxIdChars) return null;
    const id = idParts.join(' > ');
    outcomes.push({ id, status, message: null, durationMs: null });
  }
  return seen ? mergeById(outcomes) : null;
}

function unescapeTap(text: string): string {
  return text.replaceAll(/\\([\\#])/g, '$1');
}

function toIdParts({ attributes }: Element, suites: readonly string[], workdir: string): readonly string[] {
  const file = attributes['file'];
  const origin = file === undefined ? attributes['classname'] : relativeTo(workdir, file);
  return [...(origin === undefined ? [] : [origin]), ...suites, attributes['name'] ?? ''];
}

function lengthOf(parts: readonly string[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function toOutcome(testcase: Element, idParts: readonly string[]): TestOutcome {
  const fault = testcase.children.find(child => child.name === 'failure' || child.name === 'error');
  const skipped = testcase.children.some(child => child.name === 'skipped');
  const seconds = Number(testcase.attributes['time']);
  return {
    id: idParts.join(' > '),
    status: fault ? 'failed' : skipped ? 'skipped' : 'passed',
    message: fault ? (fault.attributes['message'] ?? fault.text.trim().split('\n')[0] ?? null) : null,
    durationMs: Number.isFinite(seconds) ? seconds * 1000 : null,
  };
}

function relativeTo(workdir: string, file: string): string {
  return posix.isAbsolute(file) ? posix.relative(workdir, file) : posix.normalize(file);
}

const severity: readonly TestStatus[] = ['passed', 'skipped', 'failed'];

function mergeById(outcomes: readonly TestOutcome[]): readonly TestOutcome[] {
  const merged = new Map<string, TestOutcome>();
  for (const outcome of outcomes) {
    const before = merged.get(outcome.id);
    if (before === undefined || severity.indexOf(outcome.status) > severity.indexOf(before.status)) {
      merged.set(outcome.id, outcome);
    }
  }
  return [...merged.values()];
}
