import { CoachError } from '../../../protocol/errors.ts';
import type { StatsKey, StatsRow } from '../../../protocol/sessions.ts';
import type { TraceStore } from '../store.ts';

export interface StatsRequest {
  /** Without `since`: as many days, the last of them `until` or today. */
  readonly days: number;
  /** Days in UTC, such as `2026-01-31`, both of them counted. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly by: readonly StatsKey[];
}

const dayMs = 24 * 60 * 60 * 1000;

/** @throws CoachError `input.invalid` for days that end before they begin */
export function statsAsked(
  store: Pick<TraceStore, 'stats'>,
  { days, since, until, by }: StatsRequest,
  nowMs: number,
): { rows: StatsRow[]; total?: StatsRow } {
  const untilMs = until === undefined ? null : Date.parse(until);
  const sinceMs = since === undefined ? (untilMs ?? nowMs) - (days - 1) * dayMs : Date.parse(since);
  if (sinceMs > (untilMs ?? Infinity)) {
    throw new CoachError('input.invalid', `--since ${since} is after --until ${until}.`, {
      hint: 'Give the earlier day as --since.',
    });
  }
  const [total] = store.stats({ by: [], sinceMs, untilMs });
  return { rows: store.stats({ by, sinceMs, untilMs }), ...(total !== undefined && { total }) };
}
