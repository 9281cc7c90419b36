import * as vscode from 'vscode';
import { CoachError } from '../protocol/errors.ts';
import type { Regrade } from '../protocol/runs.ts';
import type { Coach } from './coach.ts';
import { chosenJudge, warnOfNoJudge } from './judge.ts';
import { showInformation, showWarning } from './messages.ts';
import { withCancellableProgress } from './progress.ts';

/**
 * Judges what the trials of a run left anew, by the judge that is set now. A key that it lacks is asked for.
 * @throws CoachError when the person gave none: no rubric was judged then
 */
export async function regrade(
  coach: Coach,
  asked: { readonly runId: string; readonly rubricOnly: boolean },
  title: string,
): Promise<Regrade[]> {
  return coach.keys.with(async keys => {
    const { rows } = await withCancellableProgress(title, signal =>
      coach.api.runs.regrade({ ...asked, ...chosenJudge(), keys }, signal),
    );
    const keyless = rows.find(({ error }) => error?.code === 'agent.noKey')?.error;
    if (keyless) throw CoachError.fromShape(keyless);
    return rows;
  });
}

/** Says how it ended; where no judge is set, with a button that leads to the setting. */
export async function tellRegraded(rows: readonly Regrade[]): Promise<void> {
  const words = regradeWords(rows);
  if (rows.some(({ error }) => error?.code === 'judge.missing')) await warnOfNoJudge(words);
  else if (rows.some(({ after }) => after === null)) await showWarning(words);
  else await showInformation(words);
}

/** `Regraded: 4 judged, no reward changed; 2 without a verdict: no judge is set.` */
function regradeWords(rows: readonly Regrade[]): string {
  const judged = rows.filter(({ after }) => after !== null);
  const open = rows.length - judged.length;
  if (judged.length === 0) return vscode.l10n.t('No trial was judged: {0}', reasons(rows).join(' '));
  const changed = judged.filter(({ before, after }) => before !== after).length;
  const verdicts = vscode.l10n.t('Regraded: {0} judged, {1}', judged.length, changedWords(changed));
  return open === 0
    ? `${verdicts}.`
    : vscode.l10n.t('{0}; {1} without a verdict: {2}', verdicts, open, reasons(rows).join(' '));
}

function changedWords(changed: number): string {
  if (changed === 0) return vscode.l10n.t('no reward changed');
  return changed === 1 ? vscode.l10n.t('1 reward changed') : vscode.l10n.t('{0} rewards changed', changed);
}

/** Each once: trials mostly lack a verdict for the same reason. */
function reasons(rows: readonly Regrade[]): string[] {
  const words = rows.flatMap(({ after, error }) => {
    if (after !== null || error === null) return [];
    return [error.code === 'judge.missing' ? vscode.l10n.t('no judge is set.') : error.message];
  });
  return [...new Set(words)];
}
