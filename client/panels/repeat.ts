import * as vscode from 'vscode';
import type { TrialSummary } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import { withCancellableProgress } from '../progress.ts';

/** Trials without a verdict that can be begun again: their machine failed, or they were stopped. */
const unfinished: readonly TrialSummary['end'][] = ['errored', 'lost', 'cancelled'];

/** Asks once, then goes on with the trials of a run that reached no verdict. False when the person left them. */
export async function confirmResume(coach: Coach, runId: string): Promise<boolean> {
  const { trials } = await coach.api.runs.show({ runId });
  const open = trials.filter(trial => trial.phase !== 'done' || unfinished.includes(trial.end)).length;
  const retry = vscode.l10n.t('Retry');
  const chosen = await vscode.window.showInformationMessage(
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
  const regrade = vscode.l10n.t('Regrade');
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t('Judge this run again?'),
    {
      modal: true,
      detail: vscode.l10n.t('The verifier runs on what each agent left; no agent runs. Earlier verdicts are kept.'),
    },
    regrade,
  );
  if (chosen !== regrade) return false;
  await withCancellableProgress(vscode.l10n.t('Regrading…'), signal =>
    coach.keys.with(keys => coach.api.runs.regrade({ runId, keys }, signal)),
  );
  return true;
}
