import { expect, it } from 'vitest';
import { placesIn } from '../../../../server/bench/reviews/failures.ts';

it.each([
  [
    'node',
    '[Error] \n at TestContext.<anonymous> (file:///app/test/median.test.js:5:10)\n at Test.run (node:internal/test_runner/test:1125:25)',
    [{ path: 'test/median.test.js', line: 5 }],
  ],
  [
    'jest',
    'Error: no\n    at Object.median (/app/src/median.ts:2:9)\n    at x (/app/node_modules/jest/build/index.js:1:1)',
    [{ path: 'src/median.ts', line: 2 }],
  ],
  [
    'pytest',
    'def test_a():\n>  assert 1 == 2\nE  assert 1 == 2\n\ntests/test_a.py:12: AssertionError',
    [{ path: 'tests/test_a.py', line: 12 }],
  ],
  [
    'unittest',
    'Traceback (most recent call last):\n  File "/app/tests/test_a.py", line 7, in test_a\n  File "/usr/lib/python3/unittest/case.py", line 3',
    [{ path: 'tests/test_a.py', line: 7 }],
  ],
])('finds the lines of the repository that a failure of %s names', (_, trace, places) => {
  expect(placesIn(trace, '/app')).toEqual(places);
});

it('takes no place outside of the repository, and no clock, URL or line 0 for one', () => {
  const trace = 'at /etc/passwd:1 ../secret.txt:3 12:30:00 http://localhost:8080 a.js:0 /app/../b.js:4 ratio 16:9';
  expect(placesIn(trace, '/app')).toEqual([]);
});

it('reads a hostile trace in no time, and keeps few places', () => {
  expect(placesIn('a'.repeat(10_000_000), '/app')).toEqual([]);
  const many = Array.from({ length: 1000 }, (_, line) => `a.js:${line + 1}`).join(' ');
  expect(placesIn(many, '/app')).toHaveLength(10);
});
