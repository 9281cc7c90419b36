import { chmod, lstat, mkdir, mkdtemp, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withBundle } from './bundle.ts';
import { git, gitText } from './git.ts';
import { leftBehind } from './ignore.ts';
import { diffTrees, filesOf, type TreeDiff, withIndex } from './tree.ts';

/**
 * What an agent changed: the bundle's tree against `directory`, a copy of the agent's repository that is ours to
 * alter. The directory may be hostile: every `.git` in it is deleted first, only a repository of ours is asked, and files
 * are ignored by the start's `.gitignore` files, not by the agent's, so that nothing new can be hidden.
 */
export function diffDirectory(bundle: string, directory: string, signal?: AbortSignal): Promise<TreeDiff> {
  return withBundle(
    bundle,
    async start => {
      await dropRepositories(directory);
      await writeFile(join(start.gitDir, 'info', 'exclude'), `${leftBehind.join('\n')}\n.coach/\n`);
      // Names that only other systems take for `.git` are plain names here, and must not make git refuse the whole tree.
      const config = { 'core.protectNTFS': 'false', 'core.protectHFS': 'false' };
      const tree = await withIndex(start, async indexed => {
        const call = { ...indexed, workTree: directory, config };
        await git(['read-tree', start.tree], call, signal);
        const rules = (await filesOf(start, start.tree, signal)).map(file => file.path).filter(isIgnoreFile);
        const restore = await setAside(directory, rules, paths =>
          git(['checkout-index', '--force', '--', ...paths], call, signal),
        );
        let ignoreFilePaths: string[] = [];
        try {
          await git(['add', '--all', '--', '.'], call, signal);
        } finally {
          ignoreFilePaths = await restore();
        }
        const stdin = ignoreFilePaths.map(path => `${path}\0`).join('');
        await git(['update-index', '--add', '--remove', '-z', '--stdin'], { ...call, stdin }, signal);
        return gitText(['write-tree'], call, signal);
      });
      return diffTrees(start, start.tree, tree, signal);
    },
    signal,
  );
}

/**
 * Deletes every `.git`, in any spelling that git itself takes for one, at any depth, and makes the rest readable for us.
 * Links are not followed.
 */
async function dropRepositories(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await dropRepositories(path);
    if (entry.name.toLowerCase() === '.git') await rm(path, { recursive: true, force: true });
    else if (entry.isFile()) await makeReadable(path);
  }
}

async function makeReadable(path: string): Promise<void> {
  const { mode } = await lstat(path);
  if ((mode & 0o400) === 0) await chmod(path, mode | 0o400);
}

/**
 * Moves the agent's `.gitignore` files away and puts the start's in their place. The function it answers with undoes
 * that and names every `.gitignore` of either side.
 */
async function setAside(
  directory: string,
  ofStart: readonly string[],
  checkOut: (paths: readonly string[]) => Promise<unknown>,
): Promise<() => Promise<string[]>> {
  // Beside the directory: a rename does not cross file systems.
  const aside = await mkdtemp(`${directory}-ignore-`);
  const ofAgent = await ignoreFiles(directory);
  await move(ofAgent, directory, aside);
  const placed: string[] = [];
  for (const path of ofStart) if (await isRealDirectory(directory, dirname(path))) placed.push(path);
  if (placed.length > 0) await checkOut(placed);
  return async () => {
    for (const path of placed) await rm(join(directory, path), { recursive: true, force: true });
    await move(ofAgent, aside, directory);
    await rm(aside, { recursive: true, force: true });
    return [...new Set([...placed, ...ofAgent])];
  };
}

async function move(paths: readonly string[], from: string, to: string): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await rename(join(from, path), join(to, path));
  }
}

/** Whether a path below `directory` is a directory with no link on the way: the agent may have put one there. */
async function isRealDirectory(directory: string, path: string): Promise<boolean> {
  const expected = join(await realpath(directory), path);
  const real = await realpath(join(directory, path)).catch(() => null);
  return real === expected && (await lstat(real)).isDirectory();
}

async function ignoreFiles(directory: string, under = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(directory, under), { withFileTypes: true })) {
    const path = under === '' ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!leftBehind.includes(`${entry.name}/`)) found.push(...(await ignoreFiles(directory, path)));
    } else if (isIgnoreFile(path)) found.push(path);
  }
  return found;
}

function isIgnoreFile(path: string): boolean {
  return path === '.gitignore' || path.endsWith('/.gitignore');
}
