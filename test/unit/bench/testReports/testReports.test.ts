import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readReport } from '../../../../server/bench/testReports/testReports.ts';
import { ReportFormat } from '../../../../server/tasks/testing/reportFormat.ts';

/** Written by the real programs: pytest 7.2, unittest of Python 3.11, go 1.19, cargo 0.66, vitest 3.2, jest 30, mocha 12, JUnit 5.9. */
const recorded = (name: string) => readFileSync(new URL(`../../../fixtures/reports/${name}`, import.meta.url), 'utf8');

const read = (format: ReportFormat, name: string) =>
  Object.fromEntries(readReport(format, recorded(name), '/app')?.map(({ id, status }) => [id, status]) ?? []);

describe('reports of real runners', () => {
  it('pytest: classes, parameters, faults of fixtures', () => {
    const found = read('pytest', 'pytest.xml');
    expect(Object.keys(found).filter(id => id.startsWith('sub/a_test.py > '))).toHaveLength(15);
    expect(found).toMatchObject({
      'tests/test_a.py > test_plain': 'passed',
      'tests/test_a.py > test_fails': 'failed',
      'tests/test_a.py > test_skipped': 'skipped',
      'tests/test_a.py > test_xfail': 'skipped',
      'tests/test_a.py > test_length[a b-3]': 'passed',
      'tests/test_a.py > test_length[x::y-4]': 'passed',
      'tests/test_a.py > test_length[\\xfc\\n-9]': 'failed',
      'tests/test_a.py > TestGroup > test_in_class': 'passed',
      'tests/test_a.py > TestGroup > TestInner > test_deep': 'passed',
      'tests/test_a.py > TestCase > test_unit': 'passed',
      'tests/test_a.py > TestCase > test_unit_skip': 'skipped',
      'tests/test_a.py > TestCase > test_sub': 'failed',
      'tests/test_a.py > test_error': 'failed',
      'tests/test_a.py > test_teardown_error': 'failed',
    });
  });

  it('unittest: descriptions, noise, parts of a test', () => {
    expect(read('unittest', 'unittest.txt')).toEqual({
      'tests.test_u.Math > test_ok': 'passed',
      'tests.test_u.Math > test_prints': 'passed',
      'tests.test_u.Math > test_bad': 'failed',
      'tests.test_u.Math > test_error': 'failed',
      'tests.test_u.Math > test_sub': 'failed',
      'tests.test_u.Math > test_xpass': 'failed',
      'tests.test_u.Math > test_skip': 'skipped',
      'tests.test_u.Math > test_xfail': 'skipped',
    });
  });

  it('vitest and jest: groups, parameters, tests of one name', () => {
    const common = {
      'a.test.js > plain': 'passed',
      'a.test.js > fails': 'failed',
      'a.test.js > skipped': 'skipped',
      'a.test.js > todo': 'skipped',
      'a.test.js > group > adds 1 to 2': 'passed',
      'a.test.js > group > adds 2 to 3': 'passed',
      'a.test.js > same': 'failed',
    };
    expect(read('jest', 'jest.json')).toEqual({ ...common, 'a.test.js > expected to fail': 'skipped' });
    const ofVitest = Object.entries(common).map(([id, status]) => [id.replace('.js', '.ts'), status]);
    expect(read('jest', 'vitest.json')).toMatchObject({
      ...Object.fromEntries(ofVitest),
      'a.test.ts > group > in > group > deep': 'passed',
      'b.spec.ts > plain': 'passed',
    });
    expect(read('junit', 'vitest.xml')).toMatchObject({
      'a.test.ts > a.test.ts > plain': 'passed',
      'a.test.ts > a.test.ts > same': 'failed',
      'a.test.ts > a.test.ts > todo': 'skipped',
    });
  });

  it('mocha: as JSON and as XML', () => {
    expect(read('mocha', 'mocha.json')).toEqual({
      'a.test.js > plain': 'passed',
      'a.test.js > group one': 'passed',
      'a.test.js > group in deep': 'passed',
      'a.test.js > fails': 'failed',
      'a.test.js > same': 'failed',
      'a.test.js > group hooks "before all" hook for "never runs"': 'failed',
      'a.test.js > skipped': 'skipped',
      'a.test.js > pending': 'skipped',
      'a.test.js > skips inside': 'skipped',
    });
    expect(read('junit', 'mocha.xml')).toMatchObject({
      'a.test.js > Mocha Tests > plain': 'passed',
      'a.test.js > Mocha Tests > same': 'failed',
      'a.test.js > Mocha Tests > skips inside': 'skipped',
    });
  });

  it('go test: subtests, examples, a package that does not compile, a panic', () => {
    expect(read('go', 'go.jsonl')).toEqual({
      'example.com/maths/calc > TestAdd': 'passed',
      'example.com/maths/calc > TestFails': 'failed',
      'example.com/maths/calc > TestSkips': 'skipped',
      'example.com/maths/calc > TestTable': 'passed',
      'example.com/maths/calc > TestTable/one': 'passed',
      'example.com/maths/calc > TestTable/a_b': 'passed',
      'example.com/maths/calc > ExampleAdd': 'passed',
      'example.com/maths/calc > FuzzAdd': 'passed',
      'example.com/maths/calc > FuzzAdd/seed#0': 'passed',
      'example.com/maths/panics > TestOk': 'passed',
      'example.com/maths/panics > TestPanics': 'failed',
    });
  });

  it('cargo test: programs apart, examples without their line, as text and as JSON', () => {
    expect(read('cargo', 'cargo.txt')).toEqual({
      'maths > src/lib.rs > tests::adds': 'passed',
      'maths > src/lib.rs > tests::fails': 'failed',
      'maths > src/lib.rs > tests::ignored': 'skipped',
      'maths > src/lib.rs > tests::panics': 'passed',
      'maths > src/lib.rs > tests::prints': 'passed',
      'whole > tests/whole.rs > adds': 'passed',
      'doc > src/lib.rs - add': 'passed',
    });
    expect(read('cargo', 'cargo.jsonl')).toMatchObject({
      'tests::fails': 'failed',
      'tests::ignored': 'skipped',
      adds: 'passed',
      'src/lib.rs - add': 'passed',
    });
  });

  it('JUnit 5: the class first', () => {
    expect(read('junit', 'jupiter.xml')).toEqual({
      'com.example.MathTest > JUnit Jupiter > adds()': 'passed',
      'com.example.MathTest > JUnit Jupiter > fails()': 'failed',
      'com.example.MathTest > JUnit Jupiter > skipped()': 'skipped',
      'com.example.MathTest > JUnit Jupiter > assumes()': 'skipped',
      'com.example.MathTest > JUnit Jupiter > next(int, int)[1]': 'passed',
      'com.example.MathTest > JUnit Jupiter > next(int, int)[2]': 'passed',
      'com.example.MathTest$Inner > JUnit Jupiter > deep()': 'passed',
    });
  });

  it('CTRF: suites, and what is neither passed nor failed', () => {
    const tests = [
      { name: 'one', status: 'passed', duration: 3, filePath: '/app/a.js', suite: ['outer', 'inner'] },
      { name: 'two', status: 'failed', duration: 1, message: 'no', suite: 'only' },
      { name: 'three', status: 'pending', duration: 0 },
      { name: 'four', status: 'other', duration: 0 },
    ];
    expect(readReport('ctrf', JSON.stringify({ results: { tool: { name: 'x' }, tests } }), '/app')).toEqual([
      { id: 'a.js > outer > inner > one', status: 'passed', message: null, durationMs: 3 },
      { id: 'only > two', status: 'failed', message: 'no', durationMs: 1 },
      { id: 'three', status: 'skipped', message: null, durationMs: 0 },
      { id: 'four', status: 'skipped', message: null, durationMs: 0 },
    ]);
  });
});

describe.each(ReportFormat.options)('a report of %s', format => {
  it.each(['', 'not a report', '{}', '[]', 'null', '{"testResults":[{}]}', '<html></html>', '\0\u2028'])(
    'is not %j',
    text => {
      expect(readReport(format, text, '/app')).toBeNull();
    },
  );

  const bytes = 8 * 1024 * 1024;
  const fill = (part: string, end = '') => part.repeat(Math.ceil(bytes / part.length)) + end;
  it.each([
    ['brackets', fill('[')],
    ['objects', fill('{"a":')],
    ['open texts', fill('{"Action":"')],
    ['go events without end', fill('{"Action":"pass","Package":"p","Test":"t"')],
    ['verdicts in one line', `test a${fill(' ... ok, ', '\u2028')}`],
    ['ignored tests in one line', `test a${fill(' ... ignored, ', '\u2028')}`],
    ['programs', `     Running ${fill('(a) ', '\u2028')}`],
    ['spaces', `${fill(' ')}x`],
    ['lines of a document test', `test a${fill(' (line 1', '\u2028')} ... ok`],
    ['skips of unittest', `a (b)${fill(' ... skipped ', '\u2028')}`],
    ['places of unittest', `a (${fill('b.')}`],
    ['words', fill('a')],
    ['empty lines', fill('\n')],
    ['headers', fill('a (b)\n')],
  ])('with 8 MiB of %s is read at once', (_, hostile) => {
    const from = performance.now();
    readReport(format, hostile, '/app');
    expect(performance.now() - from).toBeLessThan(20_000);
  });
});
