import { noFigure, toCount, toLatency, toMoney } from '../../../protocol/figures.ts';
import type { Exchange, SessionSummary } from '../../../protocol/sessions.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { line, percentCached, statusWord, unknown } from './sessionWords.ts';
import { shortExchangeIds, shortIds } from './shortIds.ts';
import { type Align, fits, formatTime, formatTokens, tableWithin } from './table.ts';

/** A title as long as most are. */
const usualTitle = 60;

/** Sessions, on a terminal with as much of their ids as there is room for. */
export function sessionTable(sessions: readonly SessionSummary[], columns: number | undefined): string {
  const header = ['Session', 'Agent', 'Last active', 'Exchanges', 'Tokens', 'Cost', 'Title'];
  const rows = (ids: readonly string[], titleWidth?: number) =>
    sessions.map((row, at) => [
      visible(ids[at] ?? row.id),
      `${visible(row.agent ?? unknown)}${row.source === 'codexFile' ? ' (codex file)' : ''}`,
      formatTime(row.endedAt),
      String(row.exchanges),
      formatTokens(row.usage),
      row.cost.kind === 'replay' ? 'replay' : toMoney(row.cost),
      line(row.title, titleWidth),
    ]);
  const ids = sessions.map(({ id }) => id);
  const shown = fits(columns, header, rows(ids, usualTitle)) ? ids : shortIds(ids);
  return tableWithin(
    columns,
    { spare: ['Exchanges', 'Tokens', 'Agent', 'Cost', 'Last active'], text: 'Title' },
    header,
    rows(shown),
    ['left', 'left', 'left', 'right', 'right', 'right', 'left'],
  );
}

/** The exchanges of one session, in the same manner. */
export function exchangeTable(exchanges: readonly Exchange[], columns: number | undefined): string {
  const hasErrors = exchanges.some(({ error }) => error !== null);
  const header = ['Exchange', 'Model', 'Status', 'In', 'Cached', 'Out', 'Cost', 'First byte', 'Time'];
  const rows = (ids: readonly string[], errorWidth?: number) =>
    exchanges.map((exchange, at) => [
      visible(ids[at] ?? exchange.id),
      visible(exchange.model ?? noFigure),
      statusWord(exchange, noFigure),
      toCount(exchange.usage.inputTokens),
      percentCached(exchange.usage),
      toCount(exchange.usage.outputTokens),
      toMoney(exchange.cost),
      toLatency(exchange.timeToFirstByteMs),
      toLatency(exchange.durationMs),
      ...(hasErrors ? [line(exchange.error ?? '', errorWidth)] : []),
    ]);
  if (hasErrors) header.push('Error');
  const ids = exchanges.map(({ id }) => id);
  const shown = fits(columns, header, rows(ids, usualTitle)) ? ids : shortExchangeIds(exchanges);
  return tableWithin(
    columns,
    {
      spare: ['First byte', 'Cached', 'Time', 'Cost', 'Out', 'In'],
      text: hasErrors ? 'Error' : 'Model',
    },
    header,
    rows(shown),
    ['left', 'left', ...Array<Align>(7).fill('right'), 'left'],
  );
}
