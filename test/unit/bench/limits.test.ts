import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noUsage } from '../../../protocol/usage.ts';
import { systemClock } from '../../../server/base/clock.ts';
import { type LimitReached, LimitWatch } from '../../../server/bench/limits.ts';

const limits = { timeoutMs: 60_000, maxTokens: 1000, unreachableMs: 10_000, idleMs: 30_000 };

describe('the watch over an agent', () => {
  let tokens = { usage: noUsage, streamingTokens: 0 };
  let reached: LimitReached[] = [];
  let watch: LimitWatch;

  beforeEach(() => {
    vi.useFakeTimers();
    tokens = { usage: noUsage, streamingTokens: 0 };
    reached = [];
    watch = new LimitWatch(
      limits,
      () => tokens,
      systemClock,
      limit => reached.push(limit),
    );
  });
  afterEach(() => {
    watch.dispose();
    vi.useRealTimers();
  });

  it('ends it at its time limit, however busy it is', () => {
    for (let second = 0; second < 61; second++) {
      watch.heard({ kind: 'command', text: 'ls' });
      vi.advanceTimersByTime(1000);
    }
    expect(reached).toEqual([{ kind: 'timedOut' }]);
  });

  it('counts what still streams towards the token limit', () => {
    tokens = { usage: { ...noUsage, inputTokens: 600, outputTokens: 100 }, streamingTokens: 200 };
    vi.advanceTimersByTime(300);
    expect(reached).toEqual([]);
    tokens = { ...tokens, streamingTokens: 300 };
    vi.advanceTimersByTime(300);
    expect(reached).toEqual([{ kind: 'budgetSpent', tokens: 1000 }]);
  });

  it('stops one that keeps retrying a dead model, and forgives it when a reply comes', () => {
    watch.heard({ kind: 'error', text: 'Reconnecting... 1/5' });
    vi.advanceTimersByTime(9000);
    tokens = { ...tokens, streamingTokens: 1 };
    vi.advanceTimersByTime(5000);
    expect(reached).toEqual([]);
    for (let second = 0; second < 12; second++) {
      watch.heard({ kind: 'error', text: 'Reconnecting... 2/5' });
      vi.advanceTimersByTime(1000);
    }
    expect(reached).toMatchObject([{ kind: 'stalled' }]);
    expect(watch.heardModel).toBe(true);
  });

  it('stops one that gives no sign of life', () => {
    vi.advanceTimersByTime(31_000);
    expect(reached).toMatchObject([{ kind: 'stalled' }]);
    expect(watch.heardModel).toBe(false);
  });

  it('speaks once', () => {
    vi.advanceTimersByTime(31_000);
    watch.look();
    vi.advanceTimersByTime(60_000);
    expect(reached).toHaveLength(1);
  });
});
