import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { userHome } from '../base/userHome.ts';
import { userSetting } from './git.ts';
import type { Repository } from './repository.ts';

/** Never part of a task: ours, and the places where people keep keys. Tracked files of the latter stay in. */
const neverCaptured = ['.coach/', '.env', '.env.*', '!.env.example', '!.env.sample', '!.env.template', 'auth.json'];

/** What installing or running a program leaves behind in a repository that does not ignore it. */
export const leftBehind = ['node_modules/', '__pycache__/', '.pytest_cache/', '.venv/'];

/**
 * Patterns that hide untracked files besides the `.gitignore` files of the working tree: the user's own
 * (`core.excludesFile`), the repository's `info/exclude`, and ours. In the format of `.gitignore`; later lines win.
 */
export async function ignorePatterns(repository: Repository, signal?: AbortSignal): Promise<string> {
  const named = await userSetting(repository.gitDir, 'core.excludesFile', signal);
  const home = userHome(process.env);
  const global =
    named?.replace(/^~(?=\/)/, home) ?? join(process.env['XDG_CONFIG_HOME'] || join(home, '.config'), 'git', 'ignore');
  const texts = await Promise.all([global, join(repository.commonDir, 'info', 'exclude')].map(textOf));
  return [...texts, ...neverCaptured, ''].join('\n');
}

/** Whether a path is ours. Compared without case: some file systems have none. */
export function isCoachPath(path: string): boolean {
  return path.split('/')[0]?.toLowerCase() === '.coach';
}

function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
