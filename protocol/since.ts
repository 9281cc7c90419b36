const ageUnitsMs: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * The point in time that a user means, as epoch ms; null when the text is neither an age (`30m`, `36h`, `7d`, `2w`,
 * counted back from `nowMs`) nor an ISO date with or without a time.
 */
export function sinceToEpochMs(text: string, nowMs: number): number | null {
  const age = /^(\d{1,6})([mhdw])$/.exec(text);
  if (age !== null) return nowMs - Number(age[1]) * (ageUnitsMs[age[2] ?? ''] ?? 0);
  const date = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? null : date;
}
