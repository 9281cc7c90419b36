import { describe, expect, it } from 'vitest';
import type { TestVerdict } from '../../../../protocol/runs.ts';
import {
  afterCounterproof,
  forgedTests,
  patchWithWrongExpectations,
  withWrongExpectations,
} from '../../../../server/bench/verifier/counterproof.ts';
import type { VerifyOutcome } from '../../../../server/bench/verifier/verifyOutcome.ts';

describe('tests with wrong expectations', () => {
  it.each([
    ['JavaScript', "  assert.equal(add(1, 2), 3, 'adds');", "  assert.equal(add(8, 16), 24, 'adds~~~~');"],
    ['TypeScript', '  expect(greet("Ann")).toBe("Hi Ann");', '  expect(greet("Ann~")).toBe("Hi Ann~~");'],
    ['Python', "    assert total([1.5]) == '2'", "    assert total([8.5]) == '2~~'"],
    ['Go', '  if got != 4 {', '  if got != 11 {'],
    ['Rust', '    assert_eq!(add(2, 2), 4);', '    assert_eq!(add(9, 16), 25);'],
    ['Java', '    assertEquals(4, add(2, 2));', '    assertEquals(11, add(16, 23));'],
    [
      'a flag without any other value',
      '  assert.strictEqual(isEmpty(list), true);',
      '  assert.strictEqual(isEmpty(list), false);',
    ],
  ])('differ in every value of their assertions: %s', (_language, line, changed) => {
    expect(withWrongExpectations(`first line\n${line}\nlast 1`)).toBe(`first line\n${changed}\nlast 1`);
  });

  it('load as before: imports and names stay', () => {
    const head = "import assert from 'node:assert';\nconst expected = require('../expected.js');\n// expect 1\n";
    expect(withWrongExpectations(`${head}test('adds 1', () => {\n  assert.ok(one() === 1);\n});\n`)).toBe(
      `${head}test('adds 1', () => {\n  assert.ok(one() === 8);\n});\n`,
    );
  });

  it('have other cases where the assertions hold no value', () => {
    const table = 'for _, c := range cases {\n  if got := Add(c.a); got != c.b {';
    expect(withWrongExpectations(`cases := []pair{\n  {1, 2},\n}\n${table}`)).toBe(
      `cases := []pair{\n  {8, 16},\n}\n${table}`,
    );
    expect(withWrongExpectations('it works')).toBeNull();
  });
});

describe('a patch of tests with wrong expectations', () => {
  const patch = (line: string) =>
    `--- a/test_a.py\n+++ b/test_a.py\n@@ -1,2 +1,3 @@\n def test_old():\n-    assert old() == 1\n+    assert old() == ${line}\n     assert other() == 5\n`;

  it('differs in what it adds, and nowhere else', () => {
    expect(patchWithWrongExpectations(patch('2'))).toBe(patch('9'));
    expect(patchWithWrongExpectations('--- a/x 1\n+++ b/x == 1\n')).toBeNull();
  });
});

describe('a counterproof of a script', () => {
  const ids = ['fail_to_pass > a', 'fail_to_pass > b'];
  const left = (reward: number | null, passed: readonly string[]) => {
    const tests = ['a', 'b'].map(name => ({
      ...{ name, suite: 'fail_to_pass', duration: 0 },
      status: passed.includes(name) ? 'passed' : 'failed',
    }));
    const scriptFiles = new Map([['ctrf.json', Buffer.from(JSON.stringify({ results: { tests } }))]]);
    return { reward, outcomes: null, scriptFiles } as unknown as VerifyOutcome;
  };

  it('voids what passes with wrong expectations', () => {
    expect(forgedTests(left(0, ['a', 'b']), ids).map(({ id }) => id)).toEqual(ids);
    expect(forgedTests(left(0, ['a']), ids)).toEqual([]);
    expect(forgedTests(left(0, []), ids)).toEqual([]);
    expect(forgedTests(left(null, []), ids)).toEqual([]);
  });

  it('voids a reward of 1, whoever wrote it', () => {
    expect(forgedTests(left(1, []), ids)).toHaveLength(2);
  });
});

describe('a counterproof', () => {
  const passed = (id: string): TestVerdict => ({ id, expected: 'failToPass', status: 'passed', message: null });
  const counter = (...outcomes: [id: string, status: 'passed' | 'failed'][]) => ({
    exitCode: 1,
    timedOut: false,
    outcomes: outcomes.map(([id, status]) => ({ id, status, message: null, durationMs: null })),
  });

  it('fails tests that pass whatever they expect', () => {
    const after = afterCounterproof(
      [passed('a'), passed('b'), passed('c')],
      counter(['a', 'passed'], ['b', 'passed']),
      ['a', 'b'],
    );
    expect(after.map(test => test.status)).toEqual(['failed', 'failed', 'passed']);
  });

  it('takes one of many for chance, and a suite that does not run for no proof', () => {
    const tests = [passed('a'), passed('b')];
    expect(afterCounterproof(tests, counter(['a', 'passed'], ['b', 'failed']), ['a', 'b'])).toEqual(tests);
    expect(afterCounterproof(tests, { ...counter(), outcomes: null }, ['a', 'b'])).toEqual(tests);
  });
});
