import { afterEach, expect, it, vi } from 'vitest';
import { sinceToEpochMs } from '../../../protocol/since.ts';

const nowMs = Date.UTC(2026, 10, 22, 12);
afterEach(() => vi.unstubAllEnvs());

it('takes a date for the beginning of that day where the user is, and a time as it is given', () => {
  for (const [zone, hoursAhead] of [
    ['Asia/Tokyo', 9],
    ['America/New_York', -5],
    ['UTC', 0],
  ] as const) {
    vi.stubEnv('TZ', zone);
    expect(new Date(nowMs).getTimezoneOffset()).toBe(0 - hoursAhead * 60);
    const local = Date.UTC(2026, 10, 21, -hoursAhead);
    expect([zone, sinceToEpochMs('2026-11-21', nowMs)]).toEqual([zone, local]);
    expect([zone, sinceToEpochMs('2026-11-21T08:00', nowMs)]).toEqual([zone, local + 8 * 3_600_000]);
    expect(sinceToEpochMs('2026-11-21T08:00Z', nowMs)).toBe(Date.UTC(2026, 10, 21, 8));
  }
});

it('counts an age back from now, and not beyond the beginning of all times', () => {
  expect(sinceToEpochMs('36h', nowMs)).toBe(nowMs - 36 * 3_600_000);
  expect(['30000d', '0100-01-01'].map(text => sinceToEpochMs(text, nowMs))).toEqual([0, 0]);
});

it('takes nothing else for a time', () => {
  for (const text of [
    '',
    'yesterday',
    '7',
    '7y',
    '2026',
    '2026-13-01',
    '2026-02-31',
    '2026-02-31T08:00',
    '2026-11-21x',
  ]) {
    expect([text, sinceToEpochMs(text, nowMs)]).toEqual([text, null]);
  }
});
