import * as vscode from 'vscode';
import type { Coach } from '../coach.ts';
import { extensionId, walkthroughId } from '../contributions.ts';
import { withCancellableProgress } from '../progress.ts';
import { pickRepository } from '../repository.ts';
import type { CommandHandlers } from './handler.ts';
import { offerPrepare } from './tasks.ts';

type Names = 'openWalkthrough' | 'openSample' | 'taskFromCommit';

/** The first steps: what to read, something to try it on, and a first task. */
export function startCommands(coach: Coach): CommandHandlers<Names> {
  return {
    openWalkthrough: () =>
      vscode.commands.executeCommand('workbench.action.openWalkthrough', `${extensionId}#${walkthroughId}`, false),
    openSample: () => openSample(coach),
    taskFromCommit: () => taskFromCommit(coach),
  };
}

/** Made anew each time, so that nothing of an earlier try is in the way. An open folder keeps its window. */
async function openSample(coach: Coach): Promise<void> {
  const { repository } = await withCancellableProgress(vscode.l10n.t('Making the sample project'), signal =>
    coach.api.tasks.sample({}, signal),
  );
  const forceNewWindow = (vscode.workspace.workspaceFolders ?? []).length > 0;
  await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.file(repository), { forceNewWindow });
}

async function taskFromCommit(coach: Coach): Promise<void> {
  const repository = await pickRepository();
  if (repository === undefined) return;
  const source = await vscode.window.showInputBox({
    title: vscode.l10n.t('Create Task from Commit'),
    prompt: vscode.l10n.t('A commit, a range a..b, or a patch file. Its change becomes the solution.'),
    value: 'HEAD',
    validateInput: text => (text.trim() === '' ? vscode.l10n.t('Name a commit, such as HEAD.') : undefined),
  });
  if (source === undefined) return;
  const { task, notes } = await withCancellableProgress(vscode.l10n.t('Making a task of {0}', source), signal =>
    coach.api.tasks.from({ repository, source: source.trim() }, signal),
  );
  await offerPrepare(task, notes);
}
