import { posix } from 'node:path';

export type TestStatus = 'passed' | 'failed' | 'skipped';

export interface TestOutcome {
  /** `<file> > <suite> > … > <test>`, see tasks/format.ts. */
  readonly id: string;
  readonly status: TestStatus;
  readonly message: string | null;
  readonly durationMs: number | null;
}

/**
 * Test cases of a JUnit XML file. Suites nest; a `file` attribute below `workdir` is made relative to it.
 * Tests of one id count as one: passed when all of them passed, failed when one failed.
 * @returns null when it is no JUnit file
 */
export function parseJUnit(xml: string, workdir: string): readonly TestOutcome[] | null {
  const root = parseXml(xml);
  if (root === null || !['testsuites', 'testsuite'].includes(root.name)) return null;
  const outcomes: TestOutcome[] = [];
  const visit = (element: Element, suites: readonly string[]): void => {
    if (element.name === 'testcase') outcomes.push(toOutcome(element, suites, workdir));
    const inner = element.name === 'testsuite' ? [...suites, element.attributes['name'] ?? ''] : suites;
    for (const child of element.children) visit(child, inner);
  };
  visit(root, []);
  return mergeById(outcomes);
}

/**
 * Test points of a TAP file (version 13 or 14) that stand for a test, not for a suite with points of its own. Ids have
 * no file: TAP does not tell it.
 * @returns null when there is no plan and no point
 */
export function parseTap(text: string): readonly TestOutcome[] | null {
  const point = /^((?: {4})*)(not )?ok\b(?: \d+)?(?: - )?(.*)$/;
  const outcomes: TestOutcome[] = [];
  let path: string[] = [];
  let deepest = 0;
  let seen = false;
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
    const id = [...path.slice(0, depth), unescapeTap(name.trim())].join(' > ');
    outcomes.push({ id, status, message: null, durationMs: null });
  }
  return seen ? mergeById(outcomes) : null;
}

function unescapeTap(text: string): string {
  return text.replaceAll(/\\([\\#])/g, '$1');
}

function toOutcome(testcase: Element, suites: readonly string[], workdir: string): TestOutcome {
  const file = testcase.attributes['file'];
  const origin = file === undefined ? testcase.attributes['classname'] : relativeTo(workdir, file);
  const id = [origin, ...suites, testcase.attributes['name'] ?? ''].filter(part => part !== undefined).join(' > ');
  const fault = testcase.children.find(child => child.name === 'failure' || child.name === 'error');
  const skipped = testcase.children.some(child => child.name === 'skipped');
  const seconds = Number(testcase.attributes['time']);
  return {
    id,
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

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** As much XML as test reports use: elements, attributes, text, comments, CDATA. Null when it is not well-formed. */
function parseXml(xml: string): Element | null {
  const token =
    /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<[?!][^>]*>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|([^<]+)/g;
  const top: Element = { name: '', attributes: {}, children: [], text: '' };
  const open: Element[] = [top];
  for (const [, cdata, closing, name, attributes, empty, text] of xml.matchAll(token)) {
    const current = open.at(-1) ?? top;
    if (cdata !== undefined) current.text += cdata;
    else if (text !== undefined) current.text += unescapeXml(text);
    else if (name === undefined) continue;
    else if (closing === '/') {
      if (open.length < 2 || current.name !== name) return null;
      open.pop();
    } else {
      const element: Element = { name, attributes: toAttributes(attributes ?? ''), children: [], text: '' };
      current.children.push(element);
      if (empty !== '/') open.push(element);
    }
  }
  return open.length === 1 ? (top.children[0] ?? null) : null;
}

function toAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name = '', double, single] of text.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    // Node's reporter escapes quotes twice (`&amp;quot;`).
    attributes[name] = unescapeXml(unescapeXml(double ?? single ?? '').replaceAll(/&(?!quot;)/g, '&amp;'));
  }
  return attributes;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return entities[name] ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
