import * as vscode from 'vscode';
import { CoachError } from '../../protocol/errors.ts';
import type { Coach } from '../coach.ts';
import { extensionId, walkthroughId } from '../contributions.ts';
import { editorHas } from '../editorCommand.ts';
import { faultWords } from '../failures.ts';
import { askText, showWarning } from '../messages.ts';
import { withCancellableProgress } from '../progress.ts';
import { pickStart } from '../repository.ts';
import type { CommandHandlers } from './handler.ts';
import { offerPrepare } from './tasks.ts';

type Names = 'openWalkthrough' | 'openSample' | 'initRepository' | 'firstCommit' | 'taskFromCommit';

/** The first steps: what to read, something to try it on, and a first task. */
export function startCommands(coach: Coach): CommandHandlers<Names> {
  return {
    openWalkthrough: () => openWalkthrough(coach),
    openSample: () => openSample(coach),
    initRepository,
    // Not committed by us: a person looks at what goes in. The view says what to do where git is turned off.
    firstCommit: () => vscode.commands.executeCommand('workbench.view.scm'),
    taskFromCommit: () => taskFromCommit(coach),
  };
}

/** The server is asked at once what is there already: those steps are done. */
async function openWalkthrough({ server, log }: Coach): Promise<void> {
  void server.connect().catch((error: unknown) => log.warn(String(error)));
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', `${extensionId}#${walkthroughId}`, false);
}

/** Made anew each time, so that nothing of an earlier try is in the way. An open folder keeps its window. */
async function openSample(coach: Coach): Promise<void> {
  const { repository } = await withCancellableProgress(vscode.l10n.t('Making the sample project'), signal =>
    coach.api.tasks.sample({}, signal),
  );
  const forceNewWindow = (vscode.workspace.workspaceFolders ?? []).length > 0;
  await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.file(repository), { forceNewWindow });
}

/** The editor's own way, so that its Source Control knows of it. It has none where git is missing or turned off. */
async function initRepository(): Promise<void> {
  const editorCommand = 'git.init';
  if (await editorHas(editorCommand)) {
    const ofTheOnlyFolder = true;
    await vscode.commands.executeCommand(editorCommand, ofTheOnlyFolder);
    return;
  }
  const openSettings = vscode.l10n.t('Open Settings');
  const chosen = await showWarning(
    vscode.l10n.t(
      'The editor’s own git is turned off, or it finds no git. In a terminal, this makes a repository: git init',
    ),
    openSettings,
  );
  if (chosen === openSettings) await vscode.commands.executeCommand('workbench.action.openSettings', 'git.enabled');
}

async function taskFromCommit(coach: Coach): Promise<void> {
  const repository = await pickStart(coach);
  if (repository === undefined) return;
  for (let refused: Refused | undefined; ; ) {
    const source = await askSource(refused);
    if (source === undefined) return;
    try {
      const { task, notes } = await withCancellableProgress(vscode.l10n.t('Making a task of {0}', source), signal =>
        coach.api.tasks.from({ repository, source: source.trim() }, signal),
      );
      return await offerPrepare(task, notes);
    } catch (error) {
      const fault = CoachError.from(error);
      if (fault.code !== 'input.invalid' && fault.code !== 'task.empty') throw error;
      refused = { source, why: faultWords(fault) };
    }
  }
}

interface Refused {
  readonly source: string;
  readonly why: string;
}

/** What a task is to be made of. What was refused stands there again, with the reason, to be mended. */
function askSource(refused: Refused | undefined): Thenable<string | undefined> {
  return askText({
    title: vscode.l10n.t('Create Task from Commit'),
    // Not as the box's validation: of the text that it opens with, the editor shows none.
    prompt: refused?.why ?? vscode.l10n.t('A commit, a range a..b, or a patch file. Its change becomes the solution.'),
    value: refused?.source ?? 'HEAD',
    validateInput: text => (text.trim() === '' ? vscode.l10n.t('Name a commit, such as HEAD.') : undefined),
  });
}
