import * as vscode from 'vscode';
import type { ReviewComment } from '../../protocol/reviews.ts';
import type { Regrade, TrialSummary } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import { chosenJudge, warnOfNoJudge } from '../judge.ts';
import { askText, showInformation } from '../messages.ts';
import { regrade } from '../regrade.ts';

/** Makes a comment a criterion of the task, and offers to judge the run's trials by it. */
export async function makeCriterion(coach: Coach, comment: ReviewComment, trial: TrialSummary): Promise<void> {
  const text = await askText({
    title: vscode.l10n.t('What must hold, in a sentence that is true or false of a change'),
    value: comment.text.replaceAll(/\s+/g, ' '),
    validateInput: value => (value.trim() === '' ? vscode.l10n.t('Say what must hold.') : undefined),
  });
  if (text === undefined) return;
  const made = await coach.api.reviews.toCriterion({ comment: comment.id, text });
  const [again, open] = [vscode.l10n.t('Regrade Run'), vscode.l10n.t('Open Rubric')];
  const chosen =
    (chosenJudge().judge ?? made.judge) === null
      ? await warnOfNoJudge(
          vscode.l10n.t(
            '“{0}” is a criterion of {1} now, and no judge is set. Until one is, trials of this task end without a verdict.',
            made.criterion.id,
            made.task,
          ),
          open,
        )
      : await showInformation(
          vscode.l10n.t(
            '“{0}” is a criterion of {1} now. Regrading asks the judge about what the trials of this run left; no agent runs again.',
            made.criterion.id,
            made.task,
          ),
          again,
          open,
        );
  if (chosen === open) await vscode.window.showTextDocument(vscode.Uri.file(made.file));
  if (chosen === again) await regradeRun(coach, trial.runId);
}

async function regradeRun(coach: Coach, runId: string): Promise<void> {
  const rows = await regrade(coach, { runId, rubricOnly: true }, vscode.l10n.t('Judging the trials by the rubric'));
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
