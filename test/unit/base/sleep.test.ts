import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SleepLog } from '../../../server/base/sleep.ts';

const minute = 60_000;

describe('the sleep of the machine', () => {
  let now = 1_000_000;
  let sleeps: SleepLog;

  beforeEach(() => {
    vi.useFakeTimers();
    now = 1_000_000;
    sleeps = new SleepLog({ now: () => now });
  });
  afterEach(() => {
    sleeps.dispose();
    vi.useRealTimers();
  });

  /** Time that passes while the process runs. */
  function pass(ms: number): void {
    for (let left = ms; left > 0; left -= 1000) {
      now += Math.min(1000, left);
      vi.advanceTimersByTime(Math.min(1000, left));
    }
  }

  it('does not count as idle time', () => {
    const start = now;
    pass(minute);
    now += 480 * minute;
    pass(minute);
    expect(now - start).toBe(482 * minute);
    expect(sleeps.awakeMs(start, now)).toBeLessThanOrEqual(2 * minute);
    expect(sleeps.awakeMs(start, now)).toBeGreaterThan(2 * minute - 2000);
  });

  it('is seen by who asks first after it, before any timer has fired', () => {
    const start = now;
    pass(10_000);
    now += 480 * minute;
    expect(sleeps.awakeMs(start, now)).toBe(10_000);
  });

  it('is not what a busy moment is', () => {
    const start = now;
    now += 14_000;
    expect(sleeps.awakeMs(start, now)).toBe(14_000);
  });

  it('counts only as far as it lies in the time asked for', () => {
    pass(1000);
    const from = now;
    now += 60 * minute;
    pass(1000);
    const between = now - 30 * minute;
    expect(sleeps.awakeMs(between, now)).toBeLessThanOrEqual(1000);
    expect(sleeps.awakeMs(from - 500, from)).toBe(500);
  });

  it('is no reason to count backwards when the clock is set back', () => {
    const start = now;
    now -= 60 * minute;
    expect(sleeps.awakeMs(start, now)).toBe(0);
  });
});
