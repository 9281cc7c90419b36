import * as l10n from '@vscode/l10n';
import { toDuration, toLatency, toMoney } from '../../../protocol/figures.ts';
import type { SessionSummary } from '../../../protocol/sessions.ts';
import { cachedShare, noCost, noUsage } from '../../../protocol/usage.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { el, type View } from '../../components/element.ts';
import { figure, heading } from '../../components/layout.ts';
import { serverNotes } from '../../components/serverNotes.ts';
import { button } from '../../components/toolkit.ts';
import { grouped, percent, turnCount } from '../../components/words.ts';
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
        button({ id: 'as-text', onClick: context.actions.openConversation }, l10n.t('Open as text')),
        button({ id: 'export', onClick: context.actions.exportSession }, l10n.t('Export…')),
      ),
    ),
    el('div', { class: 'sum' }, el('div', { class: 'fgs' }, figures(session, context.model)), timeline(context)),
    ...serverNotes(context, l10n.t('What was recorded is kept.'), context.actions.restartServer),
  );
}

function headline({ agent, models, startedAt, repository, id, source }: SessionSummary): string {
  return [
    agent ?? l10n.t('unknown agent'),
    models.join(', ') || l10n.t('no model'),
    l10n.t('recorded {0}', new Date(startedAt).toLocaleString()),
    repository,
    l10n.t('session {0}', id),
    source === 'codexFile' ? l10n.t('from Codex’s own session file') : null,
  ]
    .filter(part => part !== null)
    .map(visible)
    .join(' · ');
}

/** A session of which only the beginning was read has no sums yet. */
function figures(session: SessionSummary, { hasTotals, report }: SessionContext['model']): View[] {
  const { exchanges, usage, cost } = hasTotals ? session : { exchanges: null, usage: noUsage, cost: noCost };
  const retries = report === null || report.retries === 0 ? null : l10n.t('{0} retried', report.retries);
  const calls = report?.tools.reduce((sum, tool) => sum + tool.calls, 0) ?? null;
  const failures = report?.tools.reduce((sum, tool) => sum + tool.failures, 0) ?? 0;
  const cached = cachedShare(usage);
  const firstToken = report?.firstByteMs?.p50 ?? null;
  const turns = report === null ? null : turnCount(report.turns);
  return [
    figure(l10n.t('Exchanges'), grouped(exchanges), [turns, retries].filter(Boolean).join(', ') || null, null),
    figure(
      l10n.t('Tokens in'),
      grouped(usage.inputTokens),
      cached === null ? null : l10n.t('{0} cached', percent(cached)),
      null,
    ),
    figure(
      l10n.t('Tokens out'),
      grouped(usage.outputTokens),
      usage.reasoningTokens === null ? null : l10n.t('{0} reasoning', grouped(usage.reasoningTokens)),
      null,
    ),
    figure(l10n.t('Cost'), toMoney(cost), null, null),
    figure(l10n.t('First token'), toLatency(firstToken), firstToken === null ? null : l10n.t('median'), null),
    figure(
      l10n.t('Time'),
      toDuration(report?.elapsedMs ?? null),
      report === null ? null : l10n.t('{0} model', toDuration(report.modelMs)),
      null,
    ),
    figure(l10n.t('Tools'), grouped(calls), failures === 0 ? null : l10n.t('{0} failed', failures), null),
    figure(l10n.t('Files'), grouped(report?.files.length ?? null), report === null ? null : l10n.t('edited'), null),
  ];
}
