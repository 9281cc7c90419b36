import * as vscode from 'vscode';
import { CoachError } from '../../protocol/errors.ts';
import type { ReviewComment } from '../../protocol/reviews.ts';
import type { Regrade, TrialSummary } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import { withCancellableProgress } from '../progress.ts';

/** Makes a comment a criterion of the task, and offers to judge the run's trials by it. */
export async function makeCriterion(coach: Coach, comment: ReviewComment, trial: TrialSummary): Promise<void> {
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('What must hold, in a sentence that is true or false of a change'),
    value: comment.text.replaceAll(/\s+/g, ' '),
    validateInput: value => (value.trim() === '' ? vscode.l10n.t('Say what must hold.') : undefined),
  });
  if (text === undefined) return;
  const made = await coach.api.reviews.toCriterion({ comment: comment.id, text });
  const [regrade, open] = [vscode.l10n.t('Regrade Run'), vscode.l10n.t('Open Rubric')];
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t(
      '“{0}” is a criterion of {1} now. Regrading asks the judge about what the trials of this run left; no agent runs again.',
      made.criterion.id,
      made.task,
    ),
    regrade,
    open,
  );
  if (chosen === open) await vscode.window.showTextDocument(vscode.Uri.file(made.file));
  if (chosen === regrade) await regradeRun(coach, trial.runId);
}

async function regradeRun(coach: Coach, runId: string): Promise<void> {
  const rows = await coach.keys.with(keys => judgeAgain(coach, runId, keys));
  const { trials } = await coach.api.runs.show({ runId });
  const names = new Map(trials.map(({ id, agentLabel, attempt }) => [id, `${agentLabel} #${attempt}`]));
  await vscode.window.showQuickPick(
    rows.flatMap(row => toItems(row, names.get(row.trialId) ?? row.trialId)),
    {
      title: vscode.l10n.t('Verdicts by the rubric as it is now'),
      placeHolder: vscode.l10n.t('Criteria that are judged otherwise than before, and rewards'),
      matchOnDetail: true,
    },
  );
}

/** @throws CoachError `agent.noKey` when the judge has none: nothing was judged then */
async function judgeAgain(coach: Coach, runId: string, keys: Record<string, string>): Promise<Regrade[]> {
  const { rows } = await withCancellableProgress(vscode.l10n.t('Judging the trials by the rubric'), signal =>
    coach.api.runs.regrade({ runId, rubricOnly: true, keys }, signal),
  );
  const keyless = rows.find(({ error }) => error?.code === 'agent.noKey')?.error;
  if (keyless) throw CoachError.fromShape(keyless);
  return rows;
}

function toItems({ before, after, flips, error }: Regrade, name: string): vscode.QuickPickItem[] {
  const reward = (value: number | null) => value?.toFixed(2) ?? '–';
  const verdict = (value: 'met' | 'unmet' | null) => value ?? vscode.l10n.t('not judged');
  return [
    { kind: vscode.QuickPickItemKind.Separator, label: '' },
    {
      label: vscode.l10n.t('{0}: reward {1} → {2}', name, reward(before), reward(after)),
      ...(error === null ? {} : { detail: error.message }),
    },
    ...flips.map(flip => ({
      label: `$(${flip.after === 'met' ? 'pass' : 'error'}) ${flip.id}`,
      description: `${verdict(flip.before)} → ${verdict(flip.after)}`,
      detail: flip.text,
    })),
  ];
}
