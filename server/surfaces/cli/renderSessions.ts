import { stoppedByBudget } from '../../../protocol/budgets.ts';
import { noFigure, plural, toCount, toDuration, toLatency, toMoney } from '../../../protocol/figures.ts';
import { type Exchange, type RequestChanges, type SessionReport, sessions } from '../../../protocol/sessions.ts';
import { cachedShare, type Usage } from '../../../protocol/usage.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { render } from './renderers.ts';
import { type Align, clip, counted, formatTime, formatTokens, table, tableWithin } from './table.ts';

/** One line of what others wrote. */
const line = (text: string, width: number) => clip(visible(text).replaceAll('\n', ' '), width);
const percent = (share: number | null) => (share === null ? noFigure : `${Math.round(share * 100)} %`);

/** The word for what has no name: an agent that nothing told, a model that no request named. */
const unknown = 'unknown';

/** The status that the agent got; the answer of a spent budget is ours. */
export function statusWord({ status, error }: Pick<Exchange, 'status' | 'error'>, none: string): string {
  return error?.includes(stoppedByBudget) ? 'budget' : String(status ?? none);
}

/** `92.4 k in (69 % cached), 2.4 k out` */
export function usageWords(usage: Usage): string {
  const cached = cachedShare(usage);
  const aside = cached === null ? '' : ` (${percent(cached)} cached)`;
  return `${toCount(usage.inputTokens)} in${aside}, ${toCount(usage.outputTokens)} out`;
}

render(sessions.members.list, ({ rows, next }, columns) => {
  if (rows.length === 0) {
    return 'No sessions here. Record one with: codex-coach [codex arguments]; if you gave filters, ask with fewer.';
  }
  const body = tableWithin(
    columns,
    ['Exchanges', 'Tokens', 'Agent', 'Cost', 'Last active'],
    ['Session', 'Agent', 'Last active', 'Exchanges', 'Tokens', 'Cost', 'Title'],
    rows.map(row => [
      visible(row.id),
      `${visible(row.agent ?? unknown)}${row.source === 'codexFile' ? ' (codex file)' : ''}`,
      formatTime(row.endedAt),
      String(row.exchanges),
      formatTokens(row.usage),
      row.cost.kind === 'replay' ? 'replay' : toMoney(row.cost),
      line(row.title, 60),
    ]),
    ['left', 'left', 'left', 'right', 'right', 'right', 'left'],
  );
  return next === null ? body : `${body}\nMore: the same again with --before ${visible(next)}`;
});

render(sessions.members.show, ({ session, exchanges, conversation }) =>
  [
    line(session.title, 200),
    [
      visible(session.agent ?? `${unknown} agent`),
      visible(session.models.join(', ')) || 'no model',
      counted(exchanges.length, 'exchange'),
      `${formatTokens(session.usage)} tokens`,
      toMoney(session.cost),
      ...(session.source === 'codexFile' ? ['from Codex’s own file, not recorded'] : []),
    ].join(' · '),
    '',
    ...conversation.map(item => {
      const name = item.kind === 'toolCall' ? `${item.kind} ${visible(item.toolName ?? '')}`.trim() : item.kind;
      return `[${name}] ${clip(visible(item.text.trim()), 2000)}\n`;
    }),
    exchangeTable(exchanges),
  ].join('\n'),
);

function exchangeTable(exchanges: readonly Exchange[]): string {
  return table(
    ['Exchange', 'Model', 'Status', 'In', 'Cached', 'Out', 'Cost', 'First byte', 'Time', 'Error'],
    exchanges.map(exchange => [
      visible(exchange.id),
      visible(exchange.model ?? noFigure),
      statusWord(exchange, noFigure),
      toCount(exchange.usage.inputTokens),
      percent(cachedShare(exchange.usage)),
      toCount(exchange.usage.outputTokens),
      toMoney(exchange.cost),
      toLatency(exchange.timeToFirstByteMs),
      toLatency(exchange.durationMs),
      line(exchange.error ?? '', 60),
    ]),
    ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
  );
}

render(sessions.members.summary, report => {
  const { session, firstByteMs } = report;
  const retried = report.retries === 0 ? '' : `, ${report.retries} retried`;
  const wrong = report.errors === 0 ? '' : `, ${report.errors} with an error`;
  const silent = report.withoutUsage === 0 ? '' : `; ${counted(report.withoutUsage, 'exchange')} told no usage`;
  return [
    line(session.title, 200),
    `  turns       ${report.turns}`,
    `  exchanges   ${session.exchanges}${retried}${wrong}`,
    `  models      ${visible(session.models.join(', ')) || noFigure}`,
    `  tokens      ${usageWords(session.usage)}${silent}`,
    `  cost        ${toMoney(session.cost)}`,
    `  first byte  ${firstByteMs === null ? noFigure : `${toLatency(firstByteMs.p50)} median, ${toLatency(firstByteMs.p95)} p95`}`,
    `  time        ${toDuration(report.elapsedMs)}, of it ${toLatency(report.modelMs)} waiting for the model`,
    ...section('Tools', report.tools.map(toolCells), ['left', 'right', 'left']),
    ...section(
      'Files changed',
      report.files.map(file => [visible(file.path), `${file.edits} ${plural(file.edits, 'edit')}`]),
    ),
    ...section(
      'Longest steps',
      report.longest.map(step => [
        toLatency(step.durationMs),
        step.kind,
        line(step.name, 60),
        visible(step.exchangeId),
      ]),
    ),
  ].join('\n');
});

function toolCells({ name, calls, failures }: SessionReport['tools'][number]): string[] {
  return [visible(name), String(calls), failures === 0 ? '' : `${failures} failed`];
}

function section(title: string, rows: readonly (readonly string[])[], align: readonly Align[] = []): string[] {
  if (rows.length === 0) return [];
  const widths = rows[0]?.map(() => '') ?? [];
  const [, ...lines] = table(widths, rows, align).split('\n');
  return ['', title, ...lines.map(text => `  ${text}`)];
}

render(sessions.members.events, ({ exchange, request, requestExact, omitted, events }) =>
  [
    `${visible(exchange.method)} ${visible(exchange.url)}  ${exchange.status ?? 'no reply'}  ${exchange.startedAt}`,
    '',
    request === null ? '(the request text was not kept)' : visible(request),
    ...(requestExact || request === null ? [] : ['(secrets were taken out of it)']),
    '',
    ...(omitted === null ? [] : [`(no events: ${omissions[omitted]})`]),
    ...events.map(event => `+${event.atMs} ms  ${visible(event.text.trimEnd())}`),
  ].join('\n'),
);

const omissions = {
  redacted: 'a secret ran through them',
  tooLarge: 'there were more than are kept',
  neverRecorded: 'this exchange was recorded without them',
} as const;

render(sessions.members.changes, changes =>
  [
    changes.previousId === null
      ? 'The first request of its session: all of it is new.'
      : `Since ${visible(changes.previousId)}: ${itemWords(changes)}`,
    ...changeLines('settings', changes.settings),
    ...changeLines('tools', changes.tools),
    ...changeLines('items', changes.items),
  ].join('\n'),
);

function itemWords({ keptItems, itemsBefore, itemsAfter, prefixKept }: RequestChanges): string {
  const grown = `${itemsBefore} → ${itemsAfter} items`;
  if (prefixKept) return `${grown}, prefix kept`;
  return keptItems === 0
    ? `${grown}, the provider’s cache is lost from the beginning`
    : `${grown}, only the first ${keptItems} as before: the provider’s cache is lost from there on`;
}

const signs = { added: '+', removed: '-', changed: '~' } as const;

function changeLines(title: string, changes: RequestChanges['items']): string[] {
  if (changes.length === 0) return [];
  const words = changes.map(({ change, name, before, after }) => {
    const text = change === 'changed' ? changedWords(before ?? '', after ?? '') : line(after ?? before ?? '', 160);
    return `  ${signs[change]} ${visible(name)}: ${text}`;
  });
  return ['', `${title[0]?.toUpperCase()}${title.slice(1)}`, ...words];
}

/** Both texts from shortly before where they differ. */
function changedWords(before: string, after: string): string {
  let at = 0;
  while (at < before.length && before[at] === after[at]) at++;
  const from = at > 60 ? at - 30 : 0;
  return [before, after].map(text => line((from > 0 ? '…' : '') + text.slice(from), 100)).join(' → ');
}

render(sessions.members.search, ({ hits }) =>
  hits.length === 0
    ? 'Nothing found. All the words must occur in one message or tool output; of Codex’s own files only the newest are read.'
    : hits
        .map(
          hit =>
            `${visible(hit.sessionId)}  ${formatTime(hit.at)}  ${line(hit.title, 60)}\n    ${line(hit.snippet, 240)}`,
        )
        .join('\n'),
);

render(sessions.members.export, ({ written, sizeBytes, text }) =>
  written === null ? (text ?? '').trimEnd() : `${written}: ${sizeBytes.toLocaleString('en-US')} bytes written`,
);

render(
  sessions.members.today,
  ({ exchanges, usage, cost }) => `Today: ${counted(exchanges, 'exchange')}, ${usageWords(usage)}, ${toMoney(cost)}`,
);

render(sessions.members.prune, ({ sessions: count, deleted }) => {
  const what = counted(count, 'session');
  if (deleted === null) return count === 0 ? 'No session to delete.' : `${what} would be deleted. Do it with --yes.`;
  const freed = (deleted.freedBytes / 1_000_000).toFixed(1);
  return `Deleted ${what} with ${counted(deleted.exchanges, 'exchange')}; ${freed} MB freed.`;
});

render(sessions.members.reprice, ({ changed, newlyPriced }) =>
  changed === 0
    ? 'Every cost stands as it was.'
    : `${changed.toLocaleString('en-US')} costs changed, ${newlyPriced.toLocaleString('en-US')} of them had no price before.`,
);

const statsTitles = {
  day: 'Day (UTC)',
  model: 'Model',
  agent: 'Agent',
  session: 'Session',
  repository: 'Repository',
} as const;

render(sessions.members.stats, ({ rows }) => {
  const [first] = rows;
  if (first === undefined) return 'Nothing recorded in this time; replays do not count.';
  const keys = (Object.keys(statsTitles) as (keyof typeof statsTitles)[]).filter(key => first[key] !== undefined);
  const silent = rows.reduce((sum, row) => sum + row.withoutUsage, 0);
  const body = table(
    [...keys.map(key => statsTitles[key]), 'Sessions', 'Exchanges', 'Tokens', 'In', 'Cached', 'Out', 'Cost'],
    rows.map(row => [
      ...keys.map(key => visible(row[key] ?? unknown)),
      String(row.sessions),
      String(row.exchanges),
      formatTokens(row.usage),
      toCount(row.usage.inputTokens),
      percent(cachedShare(row.usage)),
      toCount(row.usage.outputTokens),
      toMoney(row.cost),
    ]),
    [...keys.map((): Align => 'left'), ...Array<Align>(7).fill('right')],
  );
  if (silent === 0) return body;
  return `${body}\nNot in these tokens: ${counted(silent, 'exchange')} that told no usage, as failed ones and some streams do.`;
});
