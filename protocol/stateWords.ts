import type { RunState, TrialSummary } from './runs.ts';
import { english, type Texts } from './texts.ts';
import type { TrialEnd } from './trialEnd.ts';
import { type TrialState, trialState } from './trialState.ts';

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

/** Where one trial stands, and whether that is the verdict of an earlier run. */
export function trialWord(
  trial: Pick<TrialSummary, 'phase' | 'end' | 'reward' | 'reusedFrom'>,
  l10n: Texts = english,
): string {
  const word = trialStateWord(trialState(trial), l10n);
  return trial.reusedFrom === undefined ? word : l10n.t('{0} (reused)', word);
}

/** Why a trial did not pass. What was the machine's fault, or the person's wish, counts for no agent. */
export function failureWords(end: TrialEnd, l10n: Texts = english): string {
  switch (end) {
    case 'verified':
      return l10n.t('Tests failed');
    case 'cancelled':
      return l10n.t('Cancelled, not counted');
    case 'lost':
      return l10n.t('Lost, not counted');
    case 'errored':
      return l10n.t('Errored, not counted');
    default:
      return trialStateWord(end, l10n);
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
