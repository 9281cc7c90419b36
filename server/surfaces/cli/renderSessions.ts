import { noFigure, plural, toDuration, toLatency, toMoney } from '../../../protocol/figures.ts';
import { type RequestChanges, type SessionReport, sessions } from '../../../protocol/sessions.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { render } from './renderers.ts';
import './renderStats.ts';
import { exchangeTable, sessionTable } from './sessionTables.ts';
import { line, unknown, usageWords } from './sessionWords.ts';
import { type Align, clip, counted, formatTime, formatTokens, table } from './table.ts';

render(sessions.members.list, ({ rows, next, known }, columns) => {
  if (rows.length === 0) {
    const names =
      known === undefined ? [] : [namesLine('Agents', known.agents), namesLine('Models', known.models)].flat();
    return names.length === 0
      ? 'No sessions here. Record one with: codex-coach [codex arguments]'
      : ['No session matches. There are:', ...names].join('\n');
  }
  const body = sessionTable(rows, columns);
  return next === null ? body : `${body}\nMore: the same again with --before ${visible(next)}`;
});

/** Empty where there are none. */
function namesLine(title: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`  ${title}: ${names.map(visible).join(', ')}`];
}

render(sessions.members.show, ({ session, exchanges, conversation }, columns) =>
  [
    line(session.title),
    [
      // A list may shorten it.
      visible(session.id),
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
    exchangeTable(exchanges, columns),
  ].join('\n'),
);

render(sessions.members.summary, report => {
  const { session, firstByteMs } = report;
  const retried = report.retries === 0 ? '' : `, ${report.retries} retried`;
  const wrong = report.errors === 0 ? '' : `, ${report.errors} with an error`;
  const silent = report.withoutUsage === 0 ? '' : `; ${counted(report.withoutUsage, 'exchange')} told no usage`;
  return [
    line(session.title),
    `  session     ${visible(session.id)}`,
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

render(sessions.members.prune, ({ sessions: count, codexFiles, deleted }) => {
  const what = counted(count, 'session');
  const stay = codexFiles === 1 ? 'it stays' : 'they stay';
  const rest = codexFiles === 0 ? '' : ` Codex has its own file of ${codexFiles} of them: so ${stay} listed.`;
  if (deleted === null) {
    return count === 0 ? 'No session to delete.' : `${what} would be deleted.${rest} Do it with --yes.`;
  }
  const freed = (deleted.freedBytes / 1_000_000).toFixed(1);
  return `Deleted ${what} with ${counted(deleted.exchanges, 'exchange')}; ${freed} MB freed.${rest}`;
});

render(sessions.members.reprice, ({ changed, newlyPriced }) =>
  changed === 0
    ? 'Every cost stands as it was.'
    : `${changed.toLocaleString('en-US')} costs changed, ${newlyPriced.toLocaleString('en-US')} of them had no price before.`,
);
