import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import { withBundle } from '../../git/bundle.ts';
import { diffTrees, filesOf, patchTree, readBlob } from '../../git/tree.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { type Settling, withSandbox } from '../verifier/settleImported.ts';

/** Content that no agent may find, by its git blob id. */
interface HiddenBlob {
  readonly id: string;
  readonly path: string;
  readonly sizeBytes: number;
}

export interface Dig {
  /** How many blobs were looked for. */
  readonly wanted: number;
  /** Each with the path of the hidden file and the place where it was found. */
  readonly found: readonly string[];
}

/** Files this small are equal to others by chance; among git objects they are looked for all the same. */
const smallestFileBytes = 24;
const digTimeoutMs = 180_000;

/**
 * Searches a sandbox, as an agent gets it, for every blob of the solution and of the hidden tests: in the objects of every
 * repository that can be read (of any ref, reflog, stash or note, unreachable, loose, packed or borrowed from alternates), in
 * packs and bundles that belong to no repository, and in all files.
 * @throws CoachError `sandbox.failed` when the search could not be made
 */
export async function digForSolution(settling: Settling, signal: AbortSignal): Promise<Dig> {
  const hidden = await hiddenBlobs(settling.task, signal);
  if (hidden.length === 0) return { wanted: 0, found: [] };
  const sizes = hidden.map(blob => blob.sizeBytes).filter(size => size >= smallestFileBytes);
  const stdin = hidden.map(blob => `${blob.id}\n`).join('');
  return withSandbox(
    settling,
    async sandbox => {
      const time = AbortSignal.any([signal, AbortSignal.timeout(digTimeoutMs)]);
      const argv = ['sh', '-c', digScript, 'sh', ...new Set(sizes.map(String))] as const;
      const { exitCode, stdout, stderr } = await sandbox.exec(
        { argv: [...argv], cwd: settling.task.workdir, env: {}, stdin },
        time,
      );
      const lines = stdout.toString().trim().split('\n');
      if (exitCode !== 0 || lines.pop() !== 'searched') {
        throw new CoachError('sandbox.failed', `The search for the solution failed: ${stderr.toString().trim()}`, {
          hint: 'The sandbox needs git, find, grep and sed.',
        });
      }
      return { wanted: hidden.length, found: describe(lines, hidden) };
    },
    signal,
  );
}

function describe(lines: readonly string[], hidden: readonly HiddenBlob[]): string[] {
  const places = lines.flatMap(line => {
    const [id = '', ...place] = line.split(' ');
    return hidden.filter(blob => blob.id === id).map(blob => `${blob.path} in ${place.join(' ')}`);
  });
  return [...new Set(places)].sort();
}

/** The new content of the solution and the hidden tests; what the start holds, too, is no secret. */
async function hiddenBlobs({ bundle, solutionPatch, tests }: PreparedTask, signal: AbortSignal): Promise<HiddenBlob[]> {
  return withBundle(
    bundle,
    async start => {
      const known = new Set((await filesOf(start, start.tree, signal)).map(file => file.blob));
      const found = new Map<string, HiddenBlob>();
      const add = (path: string, id: string, sizeBytes: number) => {
        if (!known.has(id) && sizeBytes > 0) found.set(id, { id, path, sizeBytes });
      };
      if (solutionPatch !== null) {
        const end = await patchTree(start, start.tree, solutionPatch, signal);
        for (const { path, blob } of (await diffTrees(start, start.tree, end, signal)).files) {
          if (blob !== null) add(path, blob, (await readBlob(start, blob, signal)).length);
        }
      }
      for (const path of tests.paths) {
        const content = await readFile(join(tests.root, path));
        add(path, blobId(content), content.length);
      }
      return [...found.values()];
    },
    signal,
  );
}

function blobId(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

/**
 * Reads blob ids and prints those that it finds, with their place. Its arguments are sizes of files worth a look. The devices of
 * the kernel hold no files; everything else that can be read is searched, in one pass: a machine has many files.
 */
const digScript = String.raw`
hunt=$(mktemp -d) || exit 1
cat > "$hunt/wanted"
sizes='-false'
for size; do sizes="$sizes -o -size \${size}c"; done
find / \( -path /proc -o -path /sys -o -path /dev -o -path "$hunt" \) -prune -o \( \
  \( -type d -name objects -o -name '*.pack' -o -name '*.bundle' -o -name 'tmp_pack_*' \) -fprintf "$hunt/places" '%p\n' , \
  -type f \( $sizes \) -readable -fprintf "$hunt/files" '%p\n' \
  \) 2>/dev/null
objects_of() {
  git --git-dir="$1" cat-file --batch-all-objects --unordered --batch-check='%(objectname)' 2>/dev/null |
    grep -F -x -f "$hunt/wanted" | sed "s|$| the objects of $1|"
}
while read -r place; do
  case $place in
    */objects) [ -e "\${place%/objects}/HEAD" ] && objects_of "\${place%/objects}" ;;
    *)
      [ -f "$place" ] && [ ! -e "\${place%.pack}.idx" ] || continue
      git init --quiet --bare "$hunt/loose" || exit 1
      git --git-dir="$hunt/loose" unpack-objects -q -r < "$place" 2>/dev/null || git --git-dir="$hunt/loose" bundle unbundle "$place" >/dev/null 2>&1
      objects_of "$hunt/loose" | sed "s|the objects of .*|$place|"
      rm -rf "$hunt/loose"
      ;;
  esac
done < "$hunt/places"
git hash-object --no-filters --stdin-paths < "$hunt/files" > "$hunt/ids" || exit 1
paste -d ' ' "$hunt/ids" "$hunt/files" | grep -F -f "$hunt/wanted"
rm -rf "$hunt"
echo searched
`.replaceAll('\\$', '$');
