import { CoachError } from '../../../protocol/errors.ts';
import { findCommit, mergeBase, readCommit, requireRevision, treeOfCommit } from '../../git/history.ts';
import { commitsBetween } from '../../git/repository.ts';
import { togetherWords, toWords, type Words } from './commitMessage.ts';
import type { Past, PastChange } from './pastChange.ts';

/** Commits whose messages are drawn on; those before say little about a long history. */
const maxMessages = 50;

/**
 * What one commit changed: against its parent, a merge against its first one.
 * @throws CoachError `task.invalid` for the first commit of a history, `input.invalid`
 */
export async function changeOfCommit(name: string, past: Past, signal: AbortSignal): Promise<PastChange> {
  const { repository } = past;
  const id = await requireRevision(repository, name, 'commit', signal);
  const [parent, ...others] = (await readCommit(repository, id, signal)).parents;
  if (parent === undefined) {
    throw new CoachError('task.invalid', `${short(id)} is the first commit of its history: a task needs a start.`, {
      hint: 'Name a later commit. Where there is none yet, record the next change: codex-coach task start "<title>"',
    });
  }
  await requireParent(past, id, parent, signal);
  const words = toWords((await readCommit(repository, id, signal)).message);
  const merged = others.length === 0 ? [id] : await commitsBetween(repository, parent, id, signal);
  return {
    ...(await between(past, parent, id, signal)),
    source: 'commit',
    commits: merged,
    words: words.title === '' ? await wordsOf(past, merged, signal) : words,
    notes:
      others.length === 0 ? [] : [`${short(id)} is a merge: the task starts from its first parent, ${short(parent)}.`],
  };
}

/** The two ends of `a..b` or `a...b`; null for anything else. An end that is not named is HEAD. */
export function toRange(text: string): { readonly from: string; readonly to: string } | null {
  const parts = /^(.*?)\.\.\.?([^.].*)?$/.exec(text);
  if (parts === null || text.startsWith('../')) return null;
  return { from: parts[1] || 'HEAD', to: parts[2] || 'HEAD' };
}

/**
 * What a range of commits changed: from where `b` left `a` to `b`, as a pull request shows it.
 * @throws CoachError `input.invalid`, `task.empty`
 */
export async function changeOfRange(
  range: { readonly from: string; readonly to: string },
  past: Past,
  signal: AbortSignal,
): Promise<PastChange> {
  const { repository } = past;
  const from = await requireRevision(repository, range.from, 'start', signal);
  const to = await requireRevision(repository, range.to, 'end', signal);
  const base = await mergeBase(repository, from, to, signal);
  if (base === null) {
    throw new CoachError('input.invalid', `${range.from} and ${range.to} have no history in common.`, {
      hint: 'In a shallow clone the common part may be missing: git fetch --unshallow',
    });
  }
  const commits = await commitsBetween(repository, base, to, signal);
  if (commits.length === 0) {
    throw new CoachError('task.empty', `${range.to} has no commit that ${range.from} has not.`, {
      hint: 'The older end comes first: <older>..<newer>',
    });
  }
  return {
    ...(await between(past, base, to, signal)),
    source: 'range',
    commits,
    words: await wordsOf(past, commits, signal),
    notes: base === from ? [] : [`${range.from} went on since: the task starts where they parted, at ${short(base)}.`],
  };
}

async function between({ store }: Past, start: string, end: string, signal: AbortSignal) {
  const [startTree, endTree] = [await treeOfCommit(store, start, signal), await treeOfCommit(store, end, signal)];
  return { startTree, endTree, startCommit: start, endCommit: end, session: null };
}

/** Commits may lie before the cut of a shallow clone. */
async function requireParent({ repository }: Past, id: string, parent: string, signal: AbortSignal): Promise<void> {
  if ((await findCommit(repository, parent, signal)) !== null) return;
  throw new CoachError('task.invalid', `The commit before ${short(id)} is not in this clone.`, {
    hint: 'The clone is shallow. Fetch what came before: git fetch --deepen=1',
  });
}

async function wordsOf({ repository }: Past, commits: readonly string[], signal: AbortSignal): Promise<Words> {
  const messages: Words[] = [];
  for (const id of commits.slice(0, maxMessages)) {
    const { message, parents } = await readCommit(repository, id, signal);
    if (parents.length < 2) messages.push(toWords(message));
  }
  return togetherWords(messages);
}

export function short(commit: string): string {
  return commit.slice(0, 12);
}
