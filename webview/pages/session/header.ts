import { toDuration, toLatency, toMoney } from '../../../protocol/figures.ts';
import type { SessionSummary } from '../../../protocol/sessions.ts';
import { cachedShare, noCost, noUsage } from '../../../protocol/usage.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { el, type View } from '../../components/element.ts';
import { figure, heading } from '../../components/layout.ts';
import { serverNotes } from '../../components/serverNotes.ts';
import { button } from '../../components/toolkit.ts';
import { count, grouped, percent } from '../../components/words.ts';
import type { SessionContext } from './context.ts';
import { timeline } from './timeline.ts';

/** Who spoke, and what it came to. */
export function header(session: SessionSummary, context: SessionContext): View {
  const title = visible(session.title) || session.id;
  return el(
    'header',
    { key: 'header', class: 'hd' },
    heading(
      el('h1', { class: 'end', title }, title),
      { text: headline(session), title: headline(session) },
      el(
        'div',
        { class: 'row' },
        button({ id: 'as-text', onClick: context.actions.openConversation }, 'Open as text'),
        button({ id: 'export', onClick: context.actions.exportSession }, 'Export…'),
      ),
    ),
    el('div', { class: 'sum' }, el('div', { class: 'fgs' }, figures(session, context.model)), timeline(context)),
    ...serverNotes(context, 'What was recorded is kept.', context.actions.restartServer),
  );
}

function headline({ agent, models, startedAt, repository, id, source }: SessionSummary): string {
  return [
    agent ?? 'unknown agent',
    models.join(', ') || 'no model',
    `recorded ${new Date(startedAt).toLocaleString()}`,
    repository,
    `session ${id}`,
    source === 'codexFile' ? 'from Codex’s own session file' : null,
  ]
    .filter(part => part !== null)
    .map(visible)
    .join(' · ');
}

/** A session of which only the beginning was read has no sums yet. */
function figures(session: SessionSummary, { hasTotals, report }: SessionContext['model']): View[] {
  const { exchanges, usage, cost } = hasTotals ? session : { exchanges: null, usage: noUsage, cost: noCost };
  const retries = report === null || report.retries === 0 ? null : `${report.retries} retried`;
  const calls = report?.tools.reduce((sum, tool) => sum + tool.calls, 0) ?? null;
  const failures = report?.tools.reduce((sum, tool) => sum + tool.failures, 0) ?? 0;
  const cached = cachedShare(usage);
  const firstToken = report?.firstByteMs?.p50 ?? null;
  const turns = report === null ? null : count(report.turns, 'turn');
  return [
    figure('Exchanges', grouped(exchanges), [turns, retries].filter(Boolean).join(', ') || null, null),
    figure('Tokens in', grouped(usage.inputTokens), cached === null ? null : `${percent(cached)} cached`, null),
    figure(
      'Tokens out',
      grouped(usage.outputTokens),
      usage.reasoningTokens === null ? null : `${grouped(usage.reasoningTokens)} reasoning`,
      null,
    ),
    figure('Cost', toMoney(cost), null, null),
    figure('First token', toLatency(firstToken), firstToken === null ? null : 'median', null),
    figure(
      'Time',
      toDuration(report?.elapsedMs ?? null),
      report === null ? null : `${toDuration(report.modelMs)} model`,
      null,
    ),
    figure('Tools', grouped(calls), failures === 0 ? null : `${failures} failed`, null),
    figure('Files', grouped(report?.files.length ?? null), report === null ? null : 'edited', null),
  ];
}
