import * as vscode from 'vscode';
import { toCount, toDuration, toMoney } from '../../protocol/figures.ts';
import type { Exchange, SessionSummary } from '../../protocol/sessions.ts';
import { totalTokens } from '../../protocol/usage.ts';
import type { Coach } from '../coach.ts';
import { commandId, prefix } from '../contributions.ts';
import { createList, type List } from './list.ts';
import { toMoment } from './moment.ts';
import type { ExchangeNode, MoreNode, SessionNode } from './nodes.ts';

type Node = SessionNode | ExchangeNode | MoreNode;

const pageSize = 50;
const showOlder = `${prefix}.showOlderSessions`;

/** Recorded sessions, newest first, with their exchanges. Further pages load on demand. */
export function createSessionsView(coach: Coach): List<Node> {
  let pages = 1;
  const list = createList<Node>(
    {
      view: 'sessions',
      async roots() {
        const rows: SessionSummary[] = [];
        let before: string | null = null;
        for (let page = 0; page < pages; page++) {
          const answer = await coach.api.sessions.list({ limit: pageSize, ...(before === null ? {} : { before }) });
          rows.push(...answer.rows);
          before = answer.next;
          if (before === null) break;
        }
        const nodes: Node[] = rows.map(session => ({ kind: 'session', session }));
        return before === null ? nodes : [...nodes, { kind: 'more' }];
      },
      async children(node) {
        if (node.kind !== 'session') return [];
        const { exchanges } = await coach.api.sessions.show({ sessionId: node.session.id });
        return exchanges.map(exchange => ({ kind: 'exchange', exchange }));
      },
      item: toItem,
      watch: stale => [
        coach.api.sessions.on('changed', stale),
        vscode.commands.registerCommand(showOlder, () => {
          pages++;
          list.refresh();
        }),
      ],
    },
    coach,
  );
  return list;
}

function toItem(node: Node): vscode.TreeItem {
  switch (node.kind) {
    case 'session':
      return sessionItem(node.session);
    case 'exchange':
      return exchangeItem(node.exchange);
    case 'more':
      return moreItem();
  }
}

function sessionItem(session: SessionSummary): vscode.TreeItem {
  const item = new vscode.TreeItem(
    `${toMoment(session.startedAt)} ${session.title || session.id}`,
    vscode.TreeItemCollapsibleState.Collapsed,
  );
  item.id = session.id;
  item.iconPath = new vscode.ThemeIcon('comment-discussion');
  const tokens = totalTokens(session.usage);
  item.description = [
    session.agent,
    session.exchanges === 1 ? vscode.l10n.t('1 exchange') : vscode.l10n.t('{0} exchanges', session.exchanges),
    tokens === null ? null : vscode.l10n.t('{0} tokens', toCount(tokens)),
  ]
    .filter(Boolean)
    .join(' · ');
  item.contextValue = 'session';
  item.tooltip = [
    session.title,
    session.id,
    `${new Date(session.startedAt).toLocaleString()}, ${session.models.join(', ')}`,
    vscode.l10n.t('Cost {0}', toMoney(session.cost)),
    session.repository ?? '',
  ].join('\n');
  item.command = {
    command: commandId('openSession'),
    title: vscode.l10n.t('Open Session'),
    arguments: [{ kind: 'session', session } satisfies SessionNode],
  };
  return item;
}

function exchangeItem(exchange: Exchange): vscode.TreeItem {
  const item = new vscode.TreeItem(new Date(exchange.startedAt).toLocaleTimeString());
  item.id = exchange.id;
  const failed = exchange.error !== null || (exchange.status ?? 0) >= 400;
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

function moreItem(): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Show older sessions'));
  item.id = 'more';
  item.iconPath = new vscode.ThemeIcon('ellipsis');
  item.command = { command: showOlder, title: vscode.l10n.t('Show older sessions') };
  return item;
}
