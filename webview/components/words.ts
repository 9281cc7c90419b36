import * as l10n from '@vscode/l10n';
import { trialStateWord } from '../../protocol/stateWords.ts';
import type { TrialState } from '../../protocol/trialState.ts';

/** Counts with their noun, `1 task` or `3 tasks`: languages bend the noun each in its own way, so each has whole texts. */
export function taskCount(count: number): string {
  return count === 1 ? l10n.t('1 task') : l10n.t('{0} tasks', count);
}

export function agentCount(count: number): string {
  return count === 1 ? l10n.t('1 agent') : l10n.t('{0} agents', count);
}

export function attemptCount(count: number): string {
  return count === 1 ? l10n.t('1 attempt') : l10n.t('{0} attempts', count);
}

export function verdictCount(count: number): string {
  return count === 1 ? l10n.t('1 verdict') : l10n.t('{0} verdicts', count);
}

export function fileCount(count: number): string {
  return count === 1 ? l10n.t('1 file') : l10n.t('{0} files', count);
}

export function turnCount(count: number): string {
  return count === 1 ? l10n.t('1 turn') : l10n.t('{0} turns', count);
}

/** `12,640`; what is not known is a dash. */
export function grouped(number: number | null): string {
  return number === null ? '–' : number.toLocaleString('en-US');
}

/** `69 %` of a share in [0,1]; what is not known is a dash. */
export function percent(share: number | null): string {
  return share === null ? '–' : `${Math.round(share * 100)} %`;
}

/** An attempt and how it stands, as a tooltip and a screen reader say it. */
export function attemptName(task: string, agent: string, attempt: number, state: TrialState): string {
  return l10n.t('{0}, {1}, attempt {2}: {3}', task, agent, attempt, trialStateWord(state, l10n).toLowerCase());
}
