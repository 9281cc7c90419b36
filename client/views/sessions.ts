import * as vscode from 'vscode';
import { toCount, toMoney } from '../../protocol/figures.ts';
import type { SessionSummary } from '../../protocol/sessions.ts';
import { totalTokens } from '../../protocol/usage.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Coach } from '../coach.ts';
import { commandId, filterContextKey, prefix } from '../contributions.ts';
import { exchangeItem, exchangeRows } from './exchanges.ts';
import { createList, type List } from './list.ts';
import { toDay, toTime } from './moment.ts';
import type { DayNode, ExchangeNode, MoreNode, SessionNode } from './nodes.ts';
import { byDay, matches, type SessionFilter, SessionPages } from './sessionPages.ts';
import { shortTitle } from './shortTitle.ts';

type Node = DayNode | SessionNode | ExchangeNode | MoreNode;

const pageSize = 100;
const showOlder = `${prefix}.showOlderSessions`;

export interface SessionsView extends List<Node> {
  filter(): SessionFilter;
  /** Shows only what matches; `{}` shows all. */
  setFilter(filter: SessionFilter): void;
  /** Whether there are sessions. The first page is then at hand when the view is opened. */
  any(): Promise<boolean>;
}

/** Recorded sessions by the day of their last activity, with their exchanges. Further pages load on demand. */
export function createSessionsView(coach: Coach): SessionsView {
  let filter: SessionFilter = {};
  const pages = new SessionPages(before =>
    coach.api.sessions.list({ limit: pageSize, ...filter, ...(before === undefined ? {} : { before }) }),
  );
  const list = createList<Node>(
    {
      view: 'sessions',
      readsRecordsOnly: true,
      async roots() {
        await pages.load();
        const days: Node[] = byDay(pages.rows).map(({ day, sessions }) => ({ kind: 'day', day, sessions }));
        return pages.hasMore ? [...days, { kind: 'more' }] : days;
      },
      async children(node) {
        if (node.kind === 'day') return node.sessions.map(session => ({ kind: 'session', session }));
        return node.kind === 'session' ? exchangeRows(coach, node.session) : [];
      },
      item: node => toItem(node, pages.rows[0]),
      invalidate: () => pages.forget(),
      watch: changed => [
        coach.api.sessions.on('changed', session => {
          if (!matches(session, filter)) return;
          pages.put(session);
          changed();
        }),
        vscode.commands.registerCommand(showOlder, async () => {
          await pages.loadMore();
          changed();
        }),
      ],
    },
    coach,
  );
  return {
    ...list,
    dispose: () => list.dispose(),
    filter: () => filter,
    async any() {
      if (Object.keys(filter).length > 0) return (await coach.api.sessions.list({ limit: 1 })).rows.length > 0;
      await pages.load();
      return pages.rows.length > 0;
    },
    setFilter(wanted) {
      filter = wanted;
      const words = filterWords(filter);
      list.tree.description = words;
      void vscode.commands.executeCommand('setContext', filterContextKey, words !== '');
      list.refresh();
    },
  };
}

function filterWords({ agent, model, repository, text }: SessionFilter): string {
  const words = [agent, model];
  if (text !== undefined) words.push(`“${text}”`);
  if (repository !== undefined) words.push(vscode.l10n.t('in {0}', repository.split(/[\\/]/).at(-1) ?? repository));
  return words.filter(Boolean).join(', ');
}

function toItem(node: Node, newest: SessionSummary | undefined): vscode.TreeItem {
  switch (node.kind) {
    case 'day':
      return dayItem(node, newest !== undefined && node.sessions.some(({ id }) => id === newest.id));
    case 'session':
      return sessionItem(node.session);
    case 'exchange':
      return exchangeItem(node.exchange);
    case 'more':
      return moreItem();
  }
}

function dayItem({ day, sessions }: DayNode, isNewest: boolean): vscode.TreeItem {
  const { Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(toDay(day), isNewest ? Expanded : Collapsed);
  item.id = `day/${day}`;
  item.description = String(sessions.length);
  item.contextValue = 'day';
  item.tooltip = sessions.length === 1 ? vscode.l10n.t('1 session') : vscode.l10n.t('{0} sessions', sessions.length);
  item.accessibilityInformation = { label: `${item.label as string}, ${item.tooltip}` };
  return item;
}

function sessionItem(session: SessionSummary): vscode.TreeItem {
  const title = visible(session.title || session.id);
  const item = new vscode.TreeItem(shortTitle(title), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = session.id;
  item.iconPath = new vscode.ThemeIcon('comment-discussion');
  const tokens = totalTokens(session.usage);
  // A narrow side bar cuts it from the end.
  item.description = [
    session.cost.amountUsd === null ? null : toMoney(session.cost),
    tokens === null ? null : vscode.l10n.t('{0} tokens', toCount(tokens)),
    toTime(session.endedAt),
    session.agent,
  ]
    .filter(Boolean)
    .join(' · ');
  item.accessibilityInformation = { label: `${title}, ${item.description}` };
  item.contextValue = 'session';
  item.tooltip = [
    title,
    session.id,
    `${new Date(session.startedAt).toLocaleString()}, ${session.models.join(', ')}`,
    session.exchanges === 1 ? vscode.l10n.t('1 exchange') : vscode.l10n.t('{0} exchanges', session.exchanges),
    vscode.l10n.t('Cost {0}', toMoney(session.cost)),
    session.source === 'codexFile' ? vscode.l10n.t('From the session file that Codex keeps') : '',
    session.repository ?? '',
  ]
    .filter(Boolean)
    .join('\n');
  item.command = {
    command: commandId('openSession'),
    title: vscode.l10n.t('Show Session Trace'),
    arguments: [{ kind: 'session', session } satisfies SessionNode],
  };
  return item;
}

function moreItem(): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Show older sessions'));
  item.id = 'more';
  item.iconPath = new vscode.ThemeIcon('ellipsis');
  item.command = { command: showOlder, title: vscode.l10n.t('Show older sessions') };
  return item;
}
