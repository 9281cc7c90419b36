import { afterEach, expect, it, vi } from 'vitest';
import { giveBackAtRest, giveBackFreed } from '../../../server/base/freedMemory.ts';

afterEach(() => void vi.useRealTimers());

const isGlibc =
  process.platform === 'linux' && 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header;

it.skipIf(!isGlibc)('gives back what was freed between blocks that are still in use', () => {
  const kept: Buffer[] = [];
  let dropped: Buffer[] = [];
  for (let index = 0; index < 40_000; index++) {
    (index % 40 === 0 ? kept : dropped).push(Buffer.allocUnsafeSlow(3000).fill(1));
  }
  const fullMb = process.memoryUsage.rss() / 1e6;
  dropped = [];
  giveBackFreed();
  expect(fullMb - process.memoryUsage.rss() / 1e6).toBeGreaterThan(60);
  expect(kept).toHaveLength(1000);
});

it('does so some times after a minute of rest, and again after more work', () => {
  vi.useFakeTimers();
  let isBusy = true;
  let times = 0;
  const watch = giveBackAtRest(
    () => isBusy,
    () => void times++,
  );
  vi.advanceTimersByTime(120_000);
  expect(times).toBe(0);
  for (const expected of [6, 12]) {
    isBusy = false;
    vi.advanceTimersByTime(60_000);
    expect(times).toBe(expected - 6);
    vi.advanceTimersByTime(10 * 60_000);
    expect(times).toBe(expected);
    isBusy = true;
    vi.advanceTimersByTime(10_000);
  }
  watch.dispose();
});
