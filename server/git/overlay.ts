import { withBundle } from './bundle.ts';
import { git, gitText } from './git.ts';
import { diffTrees, withIndex } from './tree.ts';

/**
 * The patch that puts the files of directories over a bundle's tree, those of later ones over those of earlier ones. What the
 * tree holds alike already is not in it.
 */
export function overlayPatch(bundle: string, directories: readonly string[], signal?: AbortSignal): Promise<Buffer> {
  return withBundle(
    bundle,
    async start => {
      const tree = await withIndex(start, async indexed => {
        await git(['read-tree', start.tree], indexed, signal);
        for (const workTree of directories) {
          // Ignored files, too, and nothing is taken away that the directory lacks.
          await git(['add', '--force', '--ignore-removal', '--', '.'], { ...indexed, workTree }, signal);
        }
        return gitText(['write-tree'], indexed, signal);
      });
      return (await diffTrees(start, start.tree, tree, signal)).patch;
    },
    signal,
  );
}
