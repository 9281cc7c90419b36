import { expect, it } from 'vitest';
import { inOrderOfTime } from '../../../../server/traces/storage/recordedOrder.ts';

/** Numbers of exchanges in order, given as `[start, duration]` in the order in which they ended. */
function order(...times: readonly (readonly [ts_ms: number, duration_ms: number | null])[]): number[] {
  const exchanges = times.map(([ts_ms, duration_ms], index) => ({ seq: index + 1, ts_ms, duration_ms }));
  const ordered = inOrderOfTime(exchanges).map(({ seq }) => seq);
  expect(inOrderOfTime(exchanges.toReversed()).map(({ seq }) => seq)).toEqual(ordered);
  return ordered;
}

it('puts exchanges of the same time into the order in which they began', () => {
  expect(order([100, 20], [50, 90], [130, 10], [0, 500])).toEqual([4, 2, 1, 3]);
  expect(order([100, 0], [100, 0], [100, null])).toEqual([1, 2, 3]);
});

it('puts what came after the clock was set back behind what came before', () => {
  expect(order([1000, 10], [1020, 10], [400, 10], [420, 10], [1040, 10])).toEqual([1, 2, 3, 4, 5]);
  expect(order([1000, 10], [420, 10], [410, 50], [100, 10], [90, 30])).toEqual([1, 3, 2, 5, 4]);
  // It was set back while the second was answered.
  expect(order([1000, 10], [1020, -600], [430, 10])).toEqual([1, 2, 3]);
});
