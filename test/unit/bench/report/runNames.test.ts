import { expect, it } from 'vitest';
import { runNames } from '../../../../server/bench/report/runNames.ts';

const at = (year: number, day: number, hour: number, minute: number, second: number) =>
  new Date(year, 10, day, hour, minute, second).toISOString();
const namesOf = (...moments: string[]) => [
  ...runNames(moments.map((createdAt, index) => ({ id: `run-${index}`, createdAt }))).values(),
];

it('names runs by the minute, and by no more than tells them apart', () => {
  expect(namesOf(at(2026, 22, 5, 41, 25), at(2026, 22, 5, 43, 2))).toEqual(['05:41', '05:43']);
  expect(namesOf(at(2026, 22, 5, 41, 25), at(2026, 22, 5, 41, 40))).toEqual(['05:41:25', '05:41:40']);
  expect(namesOf(at(2026, 21, 5, 41, 25), at(2026, 22, 5, 41, 25))).toEqual(['Nov 21 05:41', 'Nov 22 05:41']);
  expect(namesOf(at(2025, 22, 5, 41, 25), at(2026, 22, 5, 41, 25))).toEqual([
    'Nov 22, 2025 05:41',
    'Nov 22, 2026 05:41',
  ]);
});

it('falls back to the id where two began in the same second', () => {
  expect(namesOf(at(2026, 22, 5, 41, 25), at(2026, 22, 5, 41, 25))).toEqual(['run-0', 'run-1']);
});
