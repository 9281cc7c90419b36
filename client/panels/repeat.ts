import * as vscode from 'vscode';
import { isRetriable } from '../../protocol/trialState.ts';
import type { Coach } from '../coach.ts';
import { showInformation } from '../messages.ts';
import { regrade, tellRegraded } from '../regrade.ts';

/** Asks once, then goes on with the trials of a run that reached no verdict. False when the person left them. */
export async function confirmResume(coach: Coach, runId: string): Promise<boolean> {
  const { trials } = await coach.api.runs.show({ runId });
  const open = trials.filter(trial => trial.phase !== 'done' || isRetriable(trial)).length;
  const retry = vscode.l10n.t('Retry');
  const chosen = await showInformation(
    open === 1 ? vscode.l10n.t('Retry 1 trial?') : vscode.l10n.t('Retry {0} trials?', open),
    {
      modal: true,
      detail: vscode.l10n.t('Trials whose machine failed or that were stopped begin again. Verdicts are kept.'),
    },
    retry,
  );
  if (chosen !== retry) return false;
  await coach.keys.with(keys => coach.api.runs.resume({ runId, keys }));
  return true;
}

/** Asks once, then judges what the trials of a run left anew. False when the person left it. */
export async function confirmRegrade(coach: Coach, runId: string): Promise<boolean> {
  const again = vscode.l10n.t('Regrade');
  const chosen = await showInformation(
    vscode.l10n.t('Judge this run again?'),
    {
      modal: true,
      detail: vscode.l10n.t('The verifier runs on what each agent left; no agent runs. Earlier verdicts are kept.'),
    },
    again,
  );
  if (chosen !== again) return false;
  const rows = await regrade(coach, { runId, rubricOnly: false }, vscode.l10n.t('Regrading…'));
  // Not waited for: the page shows the verdicts while the message stands.
  void tellRegraded(rows);
  return true;
}
