import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import { writeDirectoryAtomic, writeFileAtomic } from '../base/files.ts';
import { readOnlyError } from '../base/paths.ts';

/** Where a repository's tasks lie. */
export const createdDirectory = (root: string) => join(root, '.coach', 'tasks', 'created');
export const preparedDirectory = (root: string) => join(root, '.coach', 'tasks', 'prepared');
export const suitesDirectory = (root: string) => join(root, '.coach', 'suites');

/** A task's id: it stands in paths and in names of refs. */
export const taskName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * Refuses a repository in which a place of tasks is a link: what is written there would land elsewhere.
 * @throws CoachError `task.invalid`
 */
export async function requirePlaces(root: string): Promise<void> {
  const ours = join(root, '.coach');
  const places = [ours, join(ours, 'tasks'), createdDirectory(root), preparedDirectory(root), suitesDirectory(root)];
  for (const place of places) {
    const found = await lstat(place).catch(() => null);
    if (found === null || found.isDirectory()) continue;
    throw new CoachError('task.invalid', `${place} can't hold tasks: it is no directory of the repository itself.`, {
      hint: 'Remove it, or put a directory in its place.',
    });
  }
}

const ignoreFile = `# Written by Codex Coach. Tasks are meant to be committed; these are not.
/runs/
/evidence/
/recording.json
*.tmp
`;

/** Keeps what is not meant to be committed out of git. @throws CoachError `disk.readOnly`, `disk.full`. */
export async function writeIgnoreFile(root: string): Promise<void> {
  await writeFileAtomic(join(root, '.coach', '.gitignore'), ignoreFile);
}

/** Writes a task's directory whole or not at all. @throws CoachError `disk.readOnly`, `disk.full`, and what `fill` throws. */
export async function writeTaskDirectory(directory: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  await writeDirectoryAtomic(directory, fill).catch((error: unknown) => {
    const isDiskFault = ['ENOSPC', 'EROFS', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
    throw isDiskFault ? readOnlyError(directory, error) : error;
  });
}

/** Names of the directories below `directory`, sorted; none when it is missing. What was left half-written is not there. */
export async function directoryNames(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries
    .filter(entry => entry.isDirectory() && !entry.name.endsWith('.tmp'))
    .map(entry => entry.name)
    .sort();
}

/** A task's id as it may stand in a path. @throws CoachError `input.invalid`. */
export function requireTaskName(name: string): string {
  if (taskName.test(name)) return name;
  throw new CoachError('input.invalid', `${JSON.stringify(name)} can't name a task.`, {
    hint: 'Use letters, digits, dots, dashes and underscores, at most 100.',
  });
}

const maxSlugLength = 48;

/** A title as a directory name: at most 48 characters of a-z, 0-9 and dashes, whole words as far as there is one. */
export function toSlug(title: string): string {
  const words = title
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  const start = words.slice(0, maxSlugLength);
  const whole = words.length > maxSlugLength && words[maxSlugLength] !== '-' ? start.replace(/-[^-]*$/, '') : start;
  return whole.replace(/-+$/, '') || 'task';
}

/** Id of a created task, from its title and the time (ISO) it is made at. */
export function toTaskId(title: string, at: string): string {
  return `${toSlug(title)}-${at.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}`;
}
