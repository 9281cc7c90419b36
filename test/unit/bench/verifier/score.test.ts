import { describe, expect, it } from 'vitest';
import { parseJUnit } from '../../../../server/bench/testReports/junit.ts';
import { parseTap } from '../../../../server/bench/testReports/tap.ts';
import { judge, type VerifierRun } from '../../../../server/bench/verifier/score.ts';

const junit = `<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testsuite name="suite A" time="0.002739" tests="5">
		<testcase name="one" time="0.000416" classname="suite A" file="/app/test/a.test.js"/>
		<testcase name="two" time="0.000464" classname="suite A" file="/app/test/a.test.js" failure="1 == 2">
			<failure type="testCodeFailure" message="1 == 2">
Error: 1 == 2 at &lt;anonymous> (x)
			</failure>
		</testcase>
		<testcase name="three" classname="suite A" file="/app/test/a.test.js"><skipped type="skipped" message="true"/></testcase>
		<testcase name="four" classname="suite A" file="/app/test/a.test.js"><skipped type="todo" message="true"/></testcase>
		<testsuite name="in">
			<testcase name="deep &amp; &amp;quot;q&amp;quot;" classname="suite A.in" file="/app/test/a.test.js"/>
		</testsuite>
	</testsuite>
	<testcase name="dup" classname="test" file="/app/test/a.test.js"/>
	<testcase name="dup" classname="test" file="/app/test/a.test.js"><failure message="no"/></testcase>
	<testcase name="test/b.test.js" classname="test" file="/app/test/b.test.js"><failure message="test failed"/></testcase>
	<!-- tests 10 -->
</testsuites>
`;

describe('reading test reports', () => {
  it('reads what the JUnit reporter of node:test writes', () => {
    expect(parseJUnit(junit, '/app')?.map(({ id, status, message }) => [id, status, message])).toEqual([
      ['test/a.test.js > suite A > one', 'passed', null],
      ['test/a.test.js > suite A > two', 'failed', '1 == 2'],
      ['test/a.test.js > suite A > three', 'skipped', null],
      ['test/a.test.js > suite A > four', 'skipped', null],
      ['test/a.test.js > suite A > in > deep & "q"', 'passed', null],
      ['test/a.test.js > dup', 'failed', 'no'],
      ['test/b.test.js > test/b.test.js', 'failed', 'test failed'],
    ]);
  });

  it.each(['', 'not xml', '<html></html>', '<testsuites><testcase name="a"></testsuites>', '<testsuites>'])(
    'does not take %j for a report',
    text => {
      expect(parseJUnit(text, '/app')).toBeNull();
    },
  );

  const bytes = 8 * 1024 * 1024;
  const fill = (part: string) => part.repeat(Math.ceil(bytes / part.length));
  const longSuite = (inside: string) => `<testsuite name="${'n'.repeat(bytes / 2)}">${inside}</testsuite>`;
  it.each([
    ['comments', `<testsuites>${fill('<!--')}`],
    ['CDATA', `<testsuites>${fill('<![CDATA[')}`],
    ['instructions', `<testsuites>${fill('<?')}`],
    ['tags', fill('<testsuite ')],
    ['quotes', fill('<a b="\'<a b=\'"')],
    ['attributes', `<testsuites ${fill('a="b" ')}`],
    ['spaces', `<testsuites ${fill(' ')}`],
    ['a name', `<testsuites ${fill('a')}`],
    ['elements', fill('<testsuite>')],
    ['entities', `<testsuites>${fill('&a')}`],
    ['ids', longSuite('<testcase name="a"/>'.repeat(200_000))],
  ])('gives up at once on 8 MiB of unclosed or endless %s', (_, hostile) => {
    const from = performance.now();
    expect(parseJUnit(hostile, '/app')).toBeNull();
    expect(performance.now() - from).toBeLessThan(20_000);
  });

  it('gives up at once on TAP that repeats a long suite in each id', () => {
    const from = performance.now();
    expect(parseTap(`# Subtest: ${'n'.repeat(bytes / 2)}\n${'    ok\n'.repeat(500_000)}`)).toBeNull();
    expect(performance.now() - from).toBeLessThan(20_000);
  });

  it('keeps entities and unknown ones as they are meant', () => {
    const xml = '<testsuite name="s"><testcase name="a &lt;b&gt; &#65;&#x42; &unknown;" file="x.js"/></testsuite>';
    expect(parseJUnit(xml, '/app')?.[0]?.id).toBe('x.js > s > a <b> AB &unknown;');
  });

  it('reads nested TAP, and takes no suite for a test', () => {
    const tap = `TAP version 13
# Subtest: suite
    # Subtest: one
    ok 1 - one
    # Subtest: two
    not ok 2 - two
    # Subtest: three
    ok 3 - three # SKIP
    # Subtest: in
        # Subtest: deep
        ok 1 - deep
        1..1
    ok 4 - in
    1..4
not ok 1 - suite
# Subtest: top
ok 2 - top
1..2
`;
    expect(parseTap(tap)?.map(({ id, status }) => [id, status])).toEqual([
      ['suite > one', 'passed'],
      ['suite > two', 'failed'],
      ['suite > three', 'skipped'],
      ['suite > in > deep', 'passed'],
      ['top', 'passed'],
    ]);
    expect(parseTap('Segmentation fault\n')).toBeNull();
  });
});

const expected = { failToPass: ['new'], passToPass: ['old'], exitsCleanly: false };
const aRun = (changes: Partial<VerifierRun> = {}): VerifierRun => ({
  exitCode: 0,
  timedOut: false,
  outcomes: [],
  ...changes,
});
const outcome = (id: string, status: 'passed' | 'failed' | 'skipped') => ({
  id,
  status,
  message: null,
  durationMs: null,
});

describe('the verdict', () => {
  it('is 1 only when every expected test passed, whatever else happened', () => {
    const outcomes = [outcome('new', 'passed'), outcome('old', 'passed'), outcome('other', 'failed')];
    expect(judge(aRun({ exitCode: 1, outcomes }), expected).reward).toBe(1);
  });

  it.each([
    ['failed', [outcome('new', 'failed'), outcome('old', 'passed')]],
    ['skipped', [outcome('new', 'skipped'), outcome('old', 'passed')]],
    ['missing', [outcome('old', 'passed')]],
  ] as const)('is 0 when an expected test is %s, although the exit code is 0', (status, outcomes) => {
    const verdict = judge(aRun({ outcomes }), expected);
    expect(verdict.reward).toBe(0);
    expect(verdict.tests[0]).toMatchObject({ id: 'new', expected: 'failToPass', status });
  });

  it('is 0 when there is no report', () => {
    expect(judge(aRun({ exitCode: 1, outcomes: null }), expected).reward).toBe(0);
    const late = judge(aRun({ exitCode: null, timedOut: true, outcomes: null }), expected);
    expect(late).toMatchObject({ reward: 0, tests: [{ message: 'The tests did not end in time.' }, {}] });
  });

  it('is 0 when the exit code contradicts a report without failures', () => {
    const passed = aRun({ exitCode: 1, outcomes: [outcome('new', 'passed'), outcome('old', 'passed')] });
    expect(judge(passed, expected).reward).toBe(1);
    const verdict = judge(passed, { ...expected, exitsCleanly: true });
    expect(verdict).toMatchObject({ reward: 0, tests: [{ message: expect.stringContaining('exit code 1') }, {}] });
    const other = { ...passed, outcomes: [...(passed.outcomes ?? []), outcome('other', 'failed')] };
    expect(judge(other, { ...expected, exitsCleanly: true }).reward).toBe(1);
  });

  it('is none when no test is expected', () => {
    expect(() => judge(aRun(), { failToPass: [], passToPass: [], exitsCleanly: false })).toThrow(/expects no test/);
  });
});
