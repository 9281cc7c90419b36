import { readFile, stat } from 'node:fs/promises';
import { CoachError } from '../../../protocol/errors.ts';
import { findCommit, requireRevision, treeOfCommit } from '../../git/history.ts';
import { patchTree } from '../../git/tree.ts';
import { togetherWords } from './commitMessage.ts';
import { short } from './commits.ts';
import type { Past, PastChange } from './pastChange.ts';
import { type PatchPart, patchParts } from './patchMail.ts';

const maxPatchBytes = 64 * 1024 * 1024;

/**
 * What a patch file changes on top of `base`: a diff, the output of `git format-patch`, or a mailbox of it. Applied one
 * after the other in a store of ours; no file of the repository is touched.
 * @throws CoachError `input.invalid` without a base, or naming file and hunk that do not apply
 */
export async function changeOfPatch(
  file: string,
  base: string | undefined,
  past: Past,
  signal: AbortSignal,
): Promise<PastChange> {
  const { store } = past;
  if (((await stat(file).catch(() => null))?.size ?? 0) > maxPatchBytes) {
    throw new CoachError('input.invalid', `${file} is larger than 64 MiB.`, {
      hint: 'Leave large files out of the patch.',
    });
  }
  const content = await readFile(file);
  const parts = await patchParts(content, store, signal);
  const start = await baseOf(content, base, past, signal);
  const startTree = await treeOfCommit(store, start.commit, signal);
  let endTree = startTree;
  const patches = parts.filter(part => part.patch.length > 0);
  for (const [index, part] of patches.entries()) {
    endTree = await patchTree(store, endTree, part.patch, signal).catch((error: unknown) => {
      throw patchRefused(error, part, patches.length === 1 ? '' : ` ${index + 1} of ${patches.length}`, start.commit);
    });
  }
  const letter = parts.find(part => part.patch.length === 0);
  return {
    source: 'patch',
    ...{ startTree, endTree, startCommit: start.commit, endCommit: start.commit, commits: [], session: null },
    words: letter?.words ?? togetherWords(patches.map(part => part.words)),
    notes: start.note === null ? [] : [start.note],
  };
}

/** The commit asked for, else the one that `git format-patch --base` wrote into the file. */
async function baseOf(
  content: Buffer,
  base: string | undefined,
  { repository }: Past,
  signal: AbortSignal,
): Promise<{ commit: string; note: string | null }> {
  if (base !== undefined) return { commit: await requireRevision(repository, base, '--base', signal), note: null };
  const named = /^base-commit: ([0-9a-f]{40})\r?$/m.exec(content.toString('latin1'))?.[1];
  const commit = named === undefined ? null : await findCommit(repository, named, signal);
  if (commit !== null) return { commit, note: `The patch says that it starts from ${short(commit)}.` };
  const missing =
    named === undefined ? 'The patch does not say' : `${short(named)} is not in this clone, of which the patch says`;
  throw new CoachError('input.invalid', `${missing} which commit it starts from.`, {
    hint: 'Make the patch with git format-patch --base=<commit>, which writes it down, or name it with --base <commit>.',
  });
}

/** @param error what git said of it */
export function patchRefused(error: unknown, { patch, words }: PatchPart, number: string, base: string): CoachError {
  const coach = CoachError.from(error);
  if (coach.code !== 'git.failed') return coach;
  const title = words.title === '' ? '' : ` ("${words.title}")`;
  return new CoachError(
    'input.invalid',
    `Patch${number}${title} does not apply to ${short(base)}: ${whatFailed(coach.message, patch)}.`,
    {
      cause: error,
      hint: 'Name the commit that it was made from with --base; binary files need git format-patch --binary --full-index.',
    },
  );
}

/** The file and the hunk that git stumbled over, else its own words. */
function whatFailed(said: string, patch: Buffer): string {
  const failed = /patch failed: (.+):(\d+)$/m.exec(said);
  if (failed === null) {
    const reasons = [...said.matchAll(/^(?:.*?failed: )?error: (.+)$/gm)].map(match => match[1] ?? '');
    return reasons.slice(0, 3).join('; ') || said.split('\n')[0] || 'no reason was given';
  }
  const [, path = '', line = ''] = failed;
  const hunk = hunksOf(patch, path).findIndex(
    header => header.startsWith(`@@ -${line},`) || header.startsWith(`@@ -${line} `),
  );
  const header = hunksOf(patch, path)[hunk];
  return header === undefined ? `${path}, line ${line}` : `${path}, hunk ${hunk + 1} (${header})`;
}

function hunksOf(patch: Buffer, path: string): string[] {
  const parts = patch.toString().split(/^(?=diff --git )/m);
  const part = parts.find(text =>
    [`+++ b/${path}`, `--- a/${path}`].some(
      line => text.includes(`${line}\n`) || text.includes(`${line}\r\n`) || text.includes(`${line}\t`),
    ),
  );
  return [...(part ?? '').matchAll(/^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@/gm)].map(match => match[0]);
}
