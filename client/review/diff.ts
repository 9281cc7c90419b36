import * as vscode from 'vscode';
import type { DiffFile, TrialSummary } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import { trialFileUri } from './files.ts';

/** Opens every file that a trial changed in one native diff editor: start of the task on the left, agent on the right. */
export async function reviewDiff(coach: Coach, trial: TrialSummary): Promise<void> {
  const { files } = await coach.api.runs.diff({ trialId: trial.id });
  if (files.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('This trial changed no file.'));
    return;
  }
  const title = vscode.l10n.t('{0}: start ↔ {1} #{2}', trial.task, trial.agentLabel, trial.attempt);
  await vscode.commands.executeCommand(
    'vscode.changes',
    title,
    files.map(file => change(trial.id, file)),
  );
}

type Change = [resource: vscode.Uri, original: vscode.Uri | undefined, modified: vscode.Uri | undefined];

function change(trialId: string, { path, status }: DiffFile): Change {
  const start = trialFileUri(trialId, 'start', path);
  const agent = trialFileUri(trialId, 'agent', path);
  return [agent, status === 'added' ? undefined : start, status === 'deleted' ? undefined : agent];
}
