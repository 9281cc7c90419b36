import * as vscode from 'vscode';
import { CoachError } from '../protocol/errors.ts';
import type { Coach } from './coach.ts';
import { offerNext } from './nextStep.ts';

/** The folders of this window that can hold a repository. The server finds the repository's root from them. */
export function repositories(): string[] {
  return (vscode.workspace.workspaceFolders ?? [])
    .filter(folder => folder.uri.scheme === 'file')
    .map(folder => folder.uri.fsPath);
}

/**
 * The rows of all repositories of this window, in their order. A folder without a repository has none: the views' welcome
 * says so. Fails when a repository can't be read.
 */
export async function rowsOfAll<Row>(
  ask: (repository: string) => Promise<{ readonly rows: readonly Row[] }>,
): Promise<Row[]> {
  const pages = await Promise.all(
    repositories().map(folder =>
      ask(folder).catch((error: unknown) => {
        if (CoachError.from(error).code === 'git.notARepository') return { rows: [] };
        throw error;
      }),
    ),
  );
  return pages.flatMap(({ rows }) => rows);
}

/**
 * The folder a command works on: the only one, the one of the active editor, or the one the person picks.
 * Undefined when the person dismissed the pick.
 * @throws CoachError `folder.missing` without a folder
 */
export async function pickRepository(): Promise<string | undefined> {
  const folders = repositories();
  if (folders.length === 0) {
    throw new CoachError('folder.missing', vscode.l10n.t('No folder is open.'), {
      hint: vscode.l10n.t('Open the folder of a git repository first.'),
    });
  }
  if (folders.length === 1) return folders[0];
  const active = vscode.window.activeTextEditor?.document.uri;
  const activeFolder = active && vscode.workspace.getWorkspaceFolder(active)?.uri.fsPath;
  if (activeFolder !== undefined && folders.includes(activeFolder)) return activeFolder;
  return vscode.window.showQuickPick(folders, { title: vscode.l10n.t('Which repository?') });
}

/**
 * Like `pickRepository`, for what needs a task, or makes one. Undefined also where there is none: that is said before anything else
 * is asked, with what can be done about it.
 */
export async function pickStart(coach: Coach): Promise<string | undefined> {
  const repository = await pickRepository();
  if (repository === undefined) return undefined;
  const { state } = await coach.api.tasks.repository({ repository });
  if (state === 'ready') return repository;
  const why =
    state === 'none'
      ? vscode.l10n.t('A task starts from a commit, and {0} is not in a git repository.', repository)
      : vscode.l10n.t('A task starts from a commit, and {0} has none yet.', repository);
  void offerNext('warning', why, [startOf[state]]);
  return undefined;
}

/** What leads from a folder to a repository that tasks can start from. */
export const startOf = { none: 'initRepository', empty: 'firstCommit' } as const;

/**
 * Tells what becomes of the folders of this window, whoever did it: `repository`, when one became a git repository or is none
 * any more; `commit`, when one may have been made. A repository above the folder is not followed: the editor watches what is open.
 */
export function followRepositories(happened: (what: 'repository' | 'commit') => void): vscode.Disposable {
  // The editor may miss what is put into a new directory before it watches that, so `.git` itself and what lies directly in
  // it are all to go by. A commit writes its message before, and the index and the log of the branch after.
  const repositories = vscode.workspace.createFileSystemWatcher('**/.git', false, true, false);
  const commits = vscode.workspace.createFileSystemWatcher('**/.git/{COMMIT_EDITMSG,index,logs}', false, false, true);
  return vscode.Disposable.from(
    repositories,
    repositories.onDidCreate(() => happened('repository')),
    repositories.onDidDelete(() => happened('repository')),
    commits,
    commits.onDidCreate(() => happened('commit')),
    commits.onDidChange(() => happened('commit')),
  );
}
