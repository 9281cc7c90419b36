import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { readOnlyError } from '../base/paths.ts';
import { git, gitText } from '../git/git.ts';

const History = z.array(z.object({ directory: z.string(), date: z.iso.datetime(), message: z.string().min(1) })).min(1);

/** The project's history, shipped beside the programs of the build. */
export const sampleSource = join(import.meta.dirname, '..', 'media', 'sample');

const author = { name: 'Ada Sample', email: 'ada@example.com' };

/**
 * Makes a git repository of the sample project: the same commits with the same ids on every machine.
 * @param sample `media/sample`, with `history.json` and `history/`
 * @throws CoachError `disk.readOnly`, `disk.full`, `git.missing`
 */
export async function createSampleRepository(
  directory: string,
  sample: string,
  signal?: AbortSignal,
): Promise<{ commits: number; commit: string }> {
  const history = History.parse(JSON.parse(await readFile(join(sample, 'history.json'), 'utf8')));
  const gitDir = join(directory, '.git');
  try {
    await mkdir(gitDir, { recursive: true });
  } catch (cause) {
    throw readOnlyError(directory, cause);
  }
  await git(['init', '--quiet', '--template=', '--initial-branch=main'], { gitDir }, signal);
  await git(['config', 'core.bare', 'false'], { gitDir }, signal);
  for (const { directory: name, date, message } of history) {
    await cp(join(sample, 'history', name), directory, { recursive: true });
    // Modes are those of the installation, not of the project.
    const call = { gitDir, workTree: directory, identity: { ...author, date }, config: { 'core.fileMode': 'false' } };
    await git(['add', '--all'], call, signal);
    await git(['commit', '--quiet', '--no-verify', '-m', message], call, signal);
  }
  return { commits: history.length, commit: await gitText(['rev-parse', 'HEAD'], { gitDir }, signal) };
}
