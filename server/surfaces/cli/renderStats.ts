import { toCount, toMoney } from '../../../protocol/figures.ts';
import { type StatsRow, sessions } from '../../../protocol/sessions.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { render } from './renderers.ts';
import { percentCached, unknown } from './sessionWords.ts';
import { type Align, clip, clipStart, counted, formatTokens, tableWithin } from './table.ts';

const titles = {
  day: 'Day (UTC)',
  week: 'Week (UTC)',
  month: 'Month (UTC)',
  model: 'Model',
  agent: 'Agent',
  session: 'Session',
  repository: 'Repository',
} as const;
type Key = keyof typeof titles;

const dayMinutes = 24 * 60;

/** Of what else stands in a row, the last one is shortened on a narrow terminal. */
const texts: readonly Key[] = ['agent', 'model', 'session', 'repository'];

render(sessions.members.stats, ({ rows, total }, columns) => {
  const [first] = rows;
  if (first === undefined) return 'Nothing recorded in this time; replays do not count.';
  const keys = (Object.keys(titles) as Key[]).filter(key => first[key] !== undefined);
  const text = texts.findLast(key => keys.includes(key));
  const hasWrites = rows.some(row => (row.cacheWriteTokens ?? 0) > 0);
  const cells = (row: StatsRow, names: readonly string[]) => [...names, ...figures(row, hasWrites)];
  const all = total === undefined || rows.length === 1 ? [] : [cells(total, ['Total', ...keys.slice(1).map(() => '')])];
  const body = tableWithin(
    columns,
    {
      spare: ['Sessions', 'Exchanges', 'Tokens', 'Cache write', 'Cached', 'Out', 'In'],
      least: 20,
      shorten: text === 'repository' ? clipStart : clip,
      ...(text !== undefined && { text: titles[text] }),
    },
    [...keys.map(key => titles[key]), ...figureTitles(hasWrites)],
    [
      ...rows.map(row =>
        cells(
          row,
          keys.map(key => visible(row[key] ?? unknown)),
        ),
      ),
      ...all,
    ],
    [...keys.map((): Align => 'left'), ...figureTitles(hasWrites).map((): Align => 'right')],
  );
  return [body, ...notes(rows, keys)].join('\n');
});

function figureTitles(hasWrites: boolean): string[] {
  return ['Sessions', 'Exchanges', 'Tokens', 'In', 'Cached', ...(hasWrites ? ['Cache write'] : []), 'Out', 'Cost'];
}

function figures({ usage, cost, ...row }: StatsRow, hasWrites: boolean): string[] {
  return [
    String(row.sessions),
    String(row.exchanges),
    formatTokens(usage),
    toCount(usage.inputTokens),
    percentCached(usage),
    ...(hasWrites ? [toCount(row.cacheWriteTokens)] : []),
    toCount(usage.outputTokens),
    toMoney(cost),
  ];
}

function notes(rows: readonly StatsRow[], keys: readonly Key[]): string[] {
  const silent = rows.reduce((sum, row) => sum + row.withoutUsage, 0);
  const untold = `Not in these tokens: ${counted(silent, 'exchange')} that told no usage, as failed ones and some streams do.`;
  const isByTime = keys.some(key => titles[key].endsWith('(UTC)'));
  return [...(isByTime ? otherMidnight() : []), ...(silent === 0 ? [] : [untold])];
}

/** When a day of the table begins; empty where clocks show UTC. */
function otherMidnight(): string[] {
  const minutes = (dayMinutes - new Date().getTimezoneOffset()) % dayMinutes;
  const two = (value: number) => String(value).padStart(2, '0');
  return minutes === 0
    ? []
    : [`Days begin at midnight in UTC: ${two(Math.floor(minutes / 60))}:${two(minutes % 60)} here.`];
}
