import { firstLine, Outcomes, relativeTo, type TestOutcome } from './outcome.ts';
import { type Element, parseXml } from './reportXml.ts';

/**
 * Test cases of a JUnit XML file. Suites nest; a `file` attribute below `workdir` is made relative to it. Without one, the
 * class stands first (Surefire, Gradle).
 * @returns null when it is no JUnit file, or its ids together are longer than any real report's
 */
export function parseJUnit(xml: string, workdir: string): readonly TestOutcome[] | null {
  return readTestCases(xml, ({ attributes }, suites) => {
    const file = attributes['file'];
    const origin = file === undefined ? attributes['classname'] : relativeTo(workdir, file);
    return [...(origin === undefined ? [] : [origin]), ...suites, attributes['name'] ?? ''];
  });
}

/**
 * The JUnit XML of pytest with `junit_family=xunit1`, which alone names files. `classname` is the module, then the
 * classes: `tests.test_a.TestGroup`. A module that can't be imported has its name in `name` and no class.
 * @returns null when it is no JUnit file, or its ids together are longer than any real report's
 */
export function parsePytest(xml: string, workdir: string): readonly TestOutcome[] | null {
  return readTestCases(xml, ({ attributes }) => {
    const { classname = '', name = '' } = attributes;
    const file = attributes['file'] === undefined ? null : relativeTo(workdir, attributes['file']);
    const module = file?.replace(/\.py$/, '').replaceAll('/', '.') ?? '';
    const classes =
      classname === module ? '' : classname.startsWith(`${module}.`) ? classname.slice(module.length + 1) : classname;
    return [...(file === null ? [] : [file]), ...classes.split('.').filter(part => part !== ''), name];
  });
}

function readTestCases(
  xml: string,
  toIdParts: (testcase: Element, suites: readonly string[]) => readonly string[],
): readonly TestOutcome[] | null {
  const root = parseXml(xml);
  if (root === null || !['testsuites', 'testsuite'].includes(root.name)) return null;
  const outcomes = new Outcomes();
  const visit = (element: Element, suites: readonly string[]): void => {
    if (element.name === 'testcase') {
      const { status, message, durationMs, trace } = toOutcome(element);
      outcomes.add(toIdParts(element, suites), status, message, durationMs, trace);
    }
    const inner = element.name === 'testsuite' ? [...suites, element.attributes['name'] ?? ''] : suites;
    for (const child of element.children) visit(child, inner);
  };
  visit(root, []);
  return outcomes.all();
}

function toOutcome(testcase: Element): Omit<TestOutcome, 'id'> {
  const fault = testcase.children.find(child => child.name === 'failure' || child.name === 'error');
  const skipped = testcase.children.some(child => child.name === 'skipped');
  const seconds = Number(testcase.attributes['time']);
  return {
    status: fault ? 'failed' : skipped ? 'skipped' : 'passed',
    message: fault ? (fault.attributes['message'] ?? firstLine(fault.text)) : null,
    durationMs: Number.isFinite(seconds) ? seconds * 1000 : null,
    trace: fault?.text ?? '',
  };
}
