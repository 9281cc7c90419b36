import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Announcements } from '../../../../server/traces/recorder/announcements.ts';

describe('announcing sessions that changed', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tells the first change at once, and what follows together a moment later', () => {
    const told: string[] = [];
    const announcements = new Announcements(id => void told.push(id));
    for (const id of ['a', 'a', 'b', 'a']) announcements.changed(id);
    expect(told).toEqual(['a', 'b']);
    vi.advanceTimersByTime(250);
    expect(told).toEqual(['a', 'b', 'a']);
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual(['a', 'b', 'a']);
    announcements.changed('a');
    expect(told).toEqual(['a', 'b', 'a', 'a']);
  });

  it('tells what waits when it is asked to, once', () => {
    const told: string[] = [];
    const announcements = new Announcements(id => void told.push(id));
    for (const id of ['a', 'a']) announcements.changed(id);
    announcements.flush();
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual(['a', 'a']);
  });
});
