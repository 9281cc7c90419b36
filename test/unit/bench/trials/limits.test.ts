import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noUsage } from '../../../../protocol/usage.ts';
import { systemClock } from '../../../../server/base/clock.ts';
import { type LimitReached, LimitWatch } from '../../../../server/bench/trials/limits.ts';

const limits = { timeoutMs: 60_000, maxTokens: 1000, unreachableMs: 10_000, idleMs: 30_000, promptMs: 5000 };

describe('the watch over an agent', () => {
  const none: { count: number; last: string | null } = { count: 0, last: null };
  let tokens = { usage: noUsage, streamingTokens: 0, failures: none };
  let reached: LimitReached[] = [];
  let watch: LimitWatch;

  beforeEach(() => {
    vi.useFakeTimers();
    tokens = { usage: noUsage, streamingTokens: 0, failures: none };
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
    tokens = { ...tokens, usage: { ...noUsage, inputTokens: 600, outputTokens: 100 }, streamingTokens: 200 };
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

  it('stops one that only retries in silence, by its requests, and says how many failed and why', () => {
    for (let second = 1; second <= 12; second++) {
      tokens = { ...tokens, failures: { count: second, last: 'HTTP 502' } };
      vi.advanceTimersByTime(1000);
    }
    expect(reached).toHaveLength(1);
    expect(reached[0]).toMatchObject({
      kind: 'stalled',
      waitedFor: expect.stringMatching(/^its model: its last \d+ requests failed \(HTTP 502\)$/),
    });
  });

  it('lets one go on with a long command although a request beside it failed', () => {
    tokens = { ...tokens, failures: { count: 1, last: 'HTTP 429' } };
    vi.advanceTimersByTime(25_000);
    expect(reached).toEqual([]);
  });

  it('forgives failed requests once one succeeds', () => {
    tokens = { ...tokens, failures: { count: 3, last: 'HTTP 529' } };
    vi.advanceTimersByTime(8000);
    tokens = { usage: { ...noUsage, outputTokens: 5 }, streamingTokens: 0, failures: none };
    vi.advanceTimersByTime(8000);
    expect(reached).toEqual([]);
  });

  it('stops one that asks a person, with its question, also while it draws that again and again', () => {
    watch.printed(Buffer.from('Starting…\n\u001b[1mDo you trust the files in this folder?\u001b[0m '));
    for (let second = 0; second < 7; second++) {
      watch.printed(Buffer.from('\r\u001b[2KDo you trust the files in this folder? '));
      vi.advanceTimersByTime(1000);
    }
    expect(reached).toMatchObject([
      { kind: 'stalled', waitedFor: 'an answer to "Do you trust the files in this folder?"' },
    ]);
  });

  it('takes no question for one when the agent goes on', () => {
    watch.printed(Buffer.from('Proceed? [y/N] '));
    vi.advanceTimersByTime(4000);
    watch.printed(Buffer.from('y\n{"type":"assistant"}\n'));
    vi.advanceTimersByTime(10_000);
    expect(reached).toEqual([]);
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
