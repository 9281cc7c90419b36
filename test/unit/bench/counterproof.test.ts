import { describe, expect, it } from 'vitest';
import type { TestVerdict } from '../../../protocol/runs.ts';
import { afterCounterproof, withWrongExpectations } from '../../../server/bench/counterproof.ts';

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
    const head = "import assert from 'node:assert';\nconst expected = require('./expected.js');\n// expect 1\n";
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
