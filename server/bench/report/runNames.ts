import type { RunSummary } from '../../../protocol/runs.ts';

/** What a comparison has to know of a run to name it. */
export type NamedRun = Pick<RunSummary, 'id' | 'createdAt'>;

/**
 * What tells runs apart, as short as they allow, by their ids: the minute in which each began, with the day where the days
 * differ, with the second where minutes do not do; at last the id. In local time, as the tabs of runs are named.
 */
export function runNames(runs: readonly NamedRun[]): ReadonlyMap<string, string> {
  const dates = runs.map(run => new Date(run.createdAt));
  const differ = (texts: readonly string[]) => new Set(texts).size > 1;
  const hasDay = differ(dates.map(date => date.toDateString()));
  const hasYear = differ(dates.map(date => String(date.getFullYear())));
  const nameOf = (date: Date, seconds: boolean) => {
    const year = hasYear ? ({ year: 'numeric' } as const) : {};
    const day = hasDay ? [date.toLocaleDateString('en-US', { month: 'short', day: 'numeric', ...year })] : [];
    return [...day, date.toTimeString().slice(0, seconds ? 8 : 5)].join(' ');
  };
  const candidates = [dates.map(date => nameOf(date, false)), dates.map(date => nameOf(date, true))];
  const names = candidates.find(texts => new Set(texts).size === runs.length) ?? runs.map(run => run.id);
  return new Map(runs.map((run, index) => [run.id, names[index] ?? run.id]));
}
