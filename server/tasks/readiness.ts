import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import { plural } from '../../protocol/figures.ts';
import type { Finding } from '../../protocol/tasks.ts';
import { userSetting } from '../git/git.ts';
import { isCoachPath } from '../git/ignore.ts';
import { type Repository, repositoryAt, requireCommit, submodulesError, trackedFiles } from '../git/repository.ts';
import { stashChanges } from '../git/stash.ts';
import { type Status, statusOf } from '../git/status.ts';
import { detectTestSetup } from './environments/testSetup.ts';
import { activeError, loadRecording } from './recording.ts';
import { secretsError, secretsInFiles } from './secrets.ts';
import { isTestPath } from './testing/testFiles.ts';

/** By it the changes that were put aside are known in the stash. */
export const putAsideMessage = 'codex-coach: put aside before recording';

const largeFileBytes = 10 * 1024 * 1024;

/** A finding, and for those that keep a recording from starting the error that `start` ends with. */
export interface Check {
  readonly finding: Finding;
  readonly error: CoachError | null;
}

/** Looks at everything that a recording needs. Changes nothing, and never throws for what it finds. */
export async function checkReadiness(directory: string, signal?: AbortSignal): Promise<Check[]> {
  let repository: Repository;
  let status: Status;
  try {
    repository = await repositoryAt(directory, signal);
    requireCommit(repository);
    status = await statusOf(repository, signal);
    // A nested repository is untracked as a whole.
    const nested = status.untracked.filter(path => path.endsWith('/'));
    if (nested.length > 0) throw submodulesError(nested);
  } catch (error) {
    return [stopping('repository', CoachError.from(error))];
  }
  const tracked = (await trackedFiles(repository.gitDir, repository.root, signal)).map(file => file.path);
  const paths = [...new Set([...tracked, ...status.untracked])].filter(path => !isCoachPath(path));
  return [
    well('repository', `Repository ${repository.root}, commit ${repository.head?.slice(0, 12)}.`),
    ...checkSubmodules(repository),
    await checkRecording(repository),
    checkBranch(repository),
    await checkIdentity(repository, signal),
    checkChanges(status),
    checkUntracked(status),
    await checkSecrets(repository, paths),
    await checkSizes(repository, paths),
    await checkTests(repository, paths),
  ];
}

/** What tests came to, as they are now. */
export interface PresentTest {
  readonly id: string;
  readonly status: 'passed' | 'failed' | 'skipped';
}

/** Whether the tests are green before anything is changed. `run` may fail: then that is the finding. */
export async function checkPresentTests(
  run: () => Promise<readonly PresentTest[]>,
  signal: AbortSignal,
): Promise<Check> {
  const id = 'testsNow';
  try {
    const tests = await run();
    const failed = tests.filter(test => test.status === 'failed').map(test => test.id);
    if (tests.length === 0) return warning(id, 'The test command ran no test.', null);
    if (failed.length === 0) {
      const skipped = tests.filter(test => test.status === 'skipped').length;
      return well(id, `${count(tests.length - skipped, 'test')} passed${skipped === 0 ? '' : `, ${skipped} skipped`}.`);
    }
    return warning(
      id,
      `${failed.length} of ${count(tests.length, 'test')} failed before anything is changed: ${listed(failed)}.`,
      'Mend them first: a test that fails already guards nothing.',
    );
  } catch (error) {
    signal.throwIfAborted();
    const { message, hint } = CoachError.from(error);
    return warning(id, message, hint);
  }
}

/** @throws CoachError of the first check that is in the way */
export function requireReady(checks: readonly Check[]): void {
  for (const { error } of checks) if (error !== null) throw error;
}

export interface FixAction {
  readonly id: string;
  readonly description: string;
  readonly done: boolean;
}

/** What can be mended without touching the content of any file; only `apply` does it. */
export async function fixReadiness(directory: string, apply: boolean, signal?: AbortSignal): Promise<FixAction[]> {
  const fixable = (await checkReadiness(directory, signal)).filter(({ finding }) => finding.fixable);
  if (fixable.length === 0) return [];
  const repository = await repositoryAt(directory, signal);
  const { changed } = await statusOf(repository, signal);
  const description = `Put the changes of ${count(changed.length, 'tracked file')} aside: git stash push -m "${putAsideMessage}". Get them back with: git stash pop`;
  if (apply) await stashChanges(repository, changed, putAsideMessage, signal);
  return [{ id: 'changes', description, done: apply }];
}

async function checkRecording(repository: Repository): Promise<Check> {
  try {
    if ((await loadRecording(repository.root)) !== null) return stopping('recording', activeError(repository.root));
  } catch (error) {
    return stopping('recording', CoachError.from(error));
  }
  return well('recording', 'No task is being recorded.');
}

function checkSubmodules({ submodules }: Repository): Check[] {
  if (submodules.length === 0) return [];
  return [
    well(
      'submodules',
      `${count(submodules.length, 'submodule')} will be plain files of the task: ${listed(submodules)}.`,
    ),
  ];
}

function checkBranch({ branch }: Repository): Check {
  if (branch !== null) return well('branch', `On branch ${branch}.`);
  return warning(
    'branch',
    'The head is detached: commits made while recording belong to no branch.',
    'To keep them: git switch -c <name>',
  );
}

async function checkIdentity({ gitDir }: Repository, signal?: AbortSignal): Promise<Check> {
  const [name, email] = await Promise.all(['user.name', 'user.email'].map(key => userSetting(gitDir, key, signal)));
  if (name && email) return well('identity', `Commits are made by ${name} <${email}>.`);
  return warning(
    'identity',
    'Git does not know who makes commits, so an agent that commits its work will fail at it.',
    'Tell it: git config user.name "<name>"; git config user.email <address>',
  );
}

function checkChanges({ changed }: Status): Check {
  if (changed.length === 0) return well('changes', 'No tracked file is changed.');
  const error = new CoachError(
    'git.dirty',
    `${count(changed.length, 'tracked file')} changed since the last commit: ${listed(changed)}.`,
    {
      hint: 'Commit or stash the changes, or run: codex-coach task fix --apply',
    },
  );
  return { ...stopping('changes', error), finding: { ...stopping('changes', error).finding, fixable: true } };
}

function checkUntracked({ untracked }: Status): Check {
  if (untracked.length === 0) return well('untracked', 'No untracked files.');
  const message = `${count(untracked.length, 'untracked file')} will be part of the task's start: ${listed(untracked)}.`;
  return warning('untracked', message, 'Commit them, or add them to .gitignore.');
}

async function checkSecrets({ root }: Repository, paths: readonly string[]): Promise<Check> {
  const found = await secretsInFiles(root, paths);
  return found.length === 0
    ? well('secrets', 'No secret found in the files.')
    : stopping('secrets', secretsError(found, root));
}

async function checkSizes({ root }: Repository, paths: readonly string[]): Promise<Check> {
  const large: string[] = [];
  for (const path of paths) {
    const found = await lstat(join(root, path)).catch(() => null);
    if (found?.isFile() && found.size > largeFileBytes) large.push(path);
  }
  if (large.length === 0) return well('sizes', 'No file over 10 MiB.');
  return warning(
    'sizes',
    `Files over 10 MiB make the task large: ${listed(large)}.`,
    'Add what the task does not need to .gitignore.',
  );
}

async function checkTests({ root }: Repository, paths: readonly string[]): Promise<Check> {
  if (!paths.some(isTestPath)) {
    return warning(
      'tests',
      'No tests found.',
      'The recorded change must bring tests: they decide what solves the task.',
    );
  }
  try {
    await detectTestSetup({ paths, read: path => readFile(join(root, path)).catch(() => null) });
    return well('tests', 'The tests can be run in a sandbox.');
  } catch (error) {
    const { message, hint } = CoachError.from(error);
    return warning('tests', message, hint);
  }
}

function well(id: string, message: string): Check {
  return { finding: { id, severity: 'ok', message, hint: null, fixable: false }, error: null };
}

function warning(id: string, message: string, hint: string | null): Check {
  return { finding: { id, severity: 'warning', message, hint, fixable: false }, error: null };
}

function stopping(id: string, error: CoachError): Check {
  return { finding: { id, severity: 'error', message: error.message, hint: error.hint, fixable: false }, error };
}

function count(number: number, noun: string): string {
  return `${number} ${plural(number, noun)}`;
}

function listed(paths: readonly string[]): string {
  return paths.length > 5 ? `${paths.slice(0, 5).join(', ')}, …` : paths.join(', ');
}
