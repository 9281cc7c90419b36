import { expect, it } from 'vitest';
import { withPauses } from '../../../server/base/pauses.ts';

function spend(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

it('lets others have their turn in work that takes long', async () => {
  let turns = 0;
  const takeTurn = () => {
    turns++;
    next = setImmediate(takeTurn);
  };
  let next = setImmediate(takeTurn);
  const seen: number[] = [];
  for await (const step of withPauses([1, 2, 3, 4, 5, 6], 8)) {
    seen.push(turns);
    spend(5);
    expect(step).toBe(seen.length);
  }
  clearImmediate(next);
  expect(new Set(seen).size).toBeGreaterThanOrEqual(3);
});
