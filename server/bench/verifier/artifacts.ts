import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeScratch, temporaryScratch } from '../../base/owner.ts';
import type { Sandbox } from '../../executors/executor.ts';
import { withBundle } from '../../git/bundle.ts';
import { fileAt, filesOf, patchTree } from '../../git/tree.ts';
import type { PreparedTask, VerifierEnvironment } from '../../tasks/preparedTask.ts';
import { heldDirectory } from '../outside.ts';

/**
 * Puts the declared artifacts of a change, and nothing else of it, into the sandbox of a verifier that has an environment of its
 * own: at their paths in the working directory, those of other places in its `heldDirectory`.
 */
export async function handOver(
  sandbox: Sandbox,
  { bundle, workdir }: PreparedTask,
  change: Uint8Array,
  { artifacts }: VerifierEnvironment,
  signal: AbortSignal,
): Promise<void> {
  const directory = await temporaryScratch('artifacts');
  const held = `${heldDirectory}/`;
  const isDeclared = (path: string) => {
    const was = path.startsWith(held) ? path.slice(held.length - 1) : `${workdir}/${path}`;
    return artifacts.some(source => was === source || was.startsWith(`${source.replace(/\/$/, '')}/`));
  };
  try {
    await withBundle(
      bundle,
      async start => {
        const tree = await patchTree(start, start.tree, change, signal);
        for (const { path, mode } of await filesOf(start, tree, signal)) {
          // A link could lead the verifier anywhere.
          if (!isDeclared(path) || !mode.startsWith('100')) continue;
          const file = join(directory, 'files', path);
          await mkdir(dirname(file), { recursive: true });
          const content = await fileAt(start, tree, path, signal);
          await writeFile(file, content ?? '', { mode: mode === '100755' ? 0o755 : 0o644 });
        }
      },
      signal,
    );
    await mkdir(join(directory, 'files'), { recursive: true });
    await sandbox.copyIn(join(directory, 'files'), workdir, signal);
  } finally {
    await removeScratch(directory);
  }
}
