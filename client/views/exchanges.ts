import * as vscode from 'vscode';
import { hasFailed } from '../../protocol/exchanges.ts';
import { toCount, toDuration } from '../../protocol/figures.ts';
import type { Exchange, SessionSummary } from '../../protocol/sessions.ts';
import type { Coach } from '../coach.ts';
import type { ExchangeNode } from './nodes.ts';

/** More rows than anyone reads in a sidebar; the session's page has them all. */
const mostRows = 500;

/** The exchanges of a session, without what was said in them. */
export async function exchangeRows(coach: Coach, session: SessionSummary): Promise<ExchangeNode[]> {
  const { exchanges } = await coach.api.sessions.exchanges({ sessionId: session.id });
  return exchanges.slice(0, mostRows).map(exchange => ({ kind: 'exchange', exchange }));
}

export function exchangeItem(exchange: Exchange): vscode.TreeItem {
  const item = new vscode.TreeItem(new Date(exchange.startedAt).toLocaleTimeString());
  item.id = exchange.id;
  const failed = hasFailed(exchange);
  item.iconPath = failed
    ? new vscode.ThemeIcon('warning', new vscode.ThemeColor('problemsWarningIcon.foreground'))
    : new vscode.ThemeIcon('arrow-swap');
  item.description = [
    exchange.model,
    failed ? (exchange.error ?? vscode.l10n.t('status {0}', String(exchange.status))) : null,
    vscode.l10n.t('{0} in, {1} out', toCount(exchange.usage.inputTokens), toCount(exchange.usage.outputTokens)),
    toDuration(exchange.durationMs),
  ]
    .filter(Boolean)
    .join(' · ');
  item.tooltip = `${exchange.method} ${exchange.url}\n${exchange.upstreamHost}, ${exchange.transport}`;
  return item;
}
