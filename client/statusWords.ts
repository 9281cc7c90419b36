import * as vscode from 'vscode';
import { budgetSentence } from '../protocol/budgets.ts';
import { toClock, toCount, toMoney } from '../protocol/figures.ts';
import type { ProxyStatus } from '../protocol/proxy.ts';
import { proxyWarnings } from '../protocol/proxyWarnings.ts';
import type { Recording } from '../protocol/tasks.ts';
import { type Cost, totalTokens, type Usage } from '../protocol/usage.ts';
import { visible } from '../protocol/visibleText.ts';

/** Since local midnight. */
export interface Spent {
  readonly exchanges: number;
  readonly usage: Usage;
  readonly cost: Cost;
}

export interface Status {
  readonly recording: Recording | undefined;
  readonly proxy: ProxyStatus | undefined;
  readonly spent: Spent | undefined;
  readonly nowMs: number;
}

interface StatusWords {
  readonly text: string;
  readonly tooltip: string;
  /** Something keeps agents from being recorded, or from working. */
  readonly warning: boolean;
}

/** A longer title would push other items out of the bar. */
const titleLength = 30;

/** The status bar's item: what is recorded, else how the proxy is, and what was spent today. */
export function statusWords({ recording, proxy, spent, nowMs }: Status): StatusWords {
  const troubles = troublesOf(proxy);
  const figures = spent === undefined || spent.exchanges === 0 ? [] : figuresOf(spent);
  const lines = [...troubles, proxyWords(proxy)];
  if (figures.length > 0) lines.push(vscode.l10n.t('Today: {0}', figures.join(', ')));
  if (recording === undefined) {
    const icon = troubles.length > 0 ? 'warning' : proxy?.state === 'listening' ? 'broadcast' : 'circle-outline';
    return {
      text: [`$(${icon}) Coach`, ...figures].join(' · '),
      tooltip: lines.join('\n'),
      warning: troubles.length > 0,
    };
  }
  const elapsed = toClock(nowMs - Date.parse(recording.startedAt));
  const icon = troubles.length > 0 ? 'warning' : 'record';
  return {
    text: [`$(${icon}) ${shortened(recording.title)} ${elapsed}`, ...figures].join(' · '),
    tooltip: [vscode.l10n.t('Recording the task “{0}” for {1}', recording.title, elapsed), ...lines].join('\n'),
    warning: troubles.length > 0,
  };
}

function troublesOf(proxy: ProxyStatus | undefined): string[] {
  if (proxy === undefined) return [];
  const failure = proxy.state === 'failed' ? [proxy.error ?? vscode.l10n.t('The recording proxy failed.')] : [];
  return [...failure, ...proxyWarnings(proxy), ...proxy.budgets.map(budgetSentence)];
}

function proxyWords(proxy: ProxyStatus | undefined): string {
  if (proxy?.state !== 'listening') {
    return vscode.l10n.t('The recording proxy is not running. It starts with the first recorded agent.');
  }
  return vscode.l10n.t('Recording proxy on {0}:{1}, {2} exchanges', proxy.host, proxy.port ?? 0, proxy.exchanges);
}

function figuresOf({ usage, cost }: Spent): string[] {
  const tokens = totalTokens(usage);
  const counted = tokens === null ? [] : [vscode.l10n.t('{0} tokens', toCount(tokens))];
  return cost.kind === 'none' || cost.kind === 'replay' ? counted : [...counted, toMoney(cost)];
}

/** A codicon in a title (`$(…)`) would be drawn as one. */
function shortened(title: string): string {
  const plain = visible(title).replaceAll('$(', '$ (');
  return plain.length <= titleLength ? plain : `${plain.slice(0, titleLength - 1)}…`;
}
