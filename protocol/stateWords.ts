import type { RunState } from './runs.ts';
import { english, type Texts } from './texts.ts';
import type { TrialState } from './trialState.ts';

/** Where a trial stands, in one word or two, as every surface says it. */
export function trialStateWord(state: TrialState, l10n: Texts = english): string {
  switch (state) {
    case 'queued':
      return l10n.t('Queued');
    case 'building':
      return l10n.t('Building');
    case 'agent':
      return l10n.t('Agent');
    case 'verifying':
      return l10n.t('Verifying');
    case 'passed':
      return l10n.t('Passed');
    case 'partial':
      return l10n.t('Partial');
    case 'failed':
      return l10n.t('Failed');
    case 'agentFailed':
      return l10n.t('Agent failed');
    case 'timedOut':
      return l10n.t('Timed out');
    case 'budgetSpent':
      return l10n.t('Budget spent');
    case 'diskSpent':
      return l10n.t('Disk spent');
    case 'stalled':
      return l10n.t('Stalled');
    case 'cancelled':
      return l10n.t('Cancelled');
    case 'lost':
      return l10n.t('Lost');
    case 'errored':
      return l10n.t('Errored');
  }
}

/** How many trials the machine failed, as every surface says it; null where there is none. */
export function erroredWords(errored: number, l10n: Texts = english): string | null {
  return errored === 0 ? null : l10n.t('{0} errored', errored);
}

export function runStateWord(state: RunState, l10n: Texts): string {
  switch (state) {
    case 'running':
      return l10n.t('Running');
    case 'finished':
      return l10n.t('Finished');
    case 'cancelled':
      return l10n.t('Cancelled');
    case 'interrupted':
      return l10n.t('Interrupted');
  }
}
