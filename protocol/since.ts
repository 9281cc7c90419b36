import * as z from 'zod';

const ageUnitsMs: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const agePattern = /^(\d{1,6})([mhdw])$/;

/** A point in time as `sinceToEpochMs` takes it. */
export const pointInTime = z
  .string()
  .refine(text => sinceToEpochMs(text, 0) !== null, 'give a date such as 2026-11-21, or an age such as 36h or 7d');

/** The same point in time for a process in another time zone: a date begins where the user is. */
export function withZone(text: string): string {
  const atMs = agePattern.test(text) ? null : sinceToEpochMs(text, 0);
  return atMs === null ? text : new Date(atMs).toISOString();
}

/**
 * The point in time that a user means, as epoch ms, 0 at the earliest; null when the text is neither an age (`30m`,
 * `36h`, `7d`, `2w`, counted back from `nowMs`) nor an ISO date with or without a time. A date begins at the midnight of
 * this process.
 */
export function sinceToEpochMs(text: string, nowMs: number): number | null {
  const age = agePattern.exec(text);
  if (age !== null) return Math.max(0, nowMs - Number(age[1]) * (ageUnitsMs[age[2] ?? ''] ?? 0));
  const [date] = /^\d{4}-\d{2}-\d{2}/.exec(text) ?? [];
  if (date !== undefined && !isDay(date)) return null;
  // ECMAScript takes a date alone for one in UTC, and a date with a time for a local one.
  const atMs = date === undefined ? Number.NaN : Date.parse(date === text ? `${date}T00:00` : text);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs);
}

/** ECMAScript takes the 31st of February for the 3rd of March. */
function isDay(date: string): boolean {
  const atMs = Date.parse(date);
  return !Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(date);
}
