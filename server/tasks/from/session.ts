import { realpath } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import { findCommit, headMoves, requireRevision, treeOfCommit, treeOfFiles } from '../../git/history.ts';
import { commitsBetween, requireCommit } from '../../git/repository.ts';
import type { CleanSession } from '../../traces/exports/export.ts';
import { filesEditedBy } from '../../traces/sessions/toolUse.ts';
import { short } from './commits.ts';
import type { Past, PastChange } from './pastChange.ts';

/** Says that a session ended with the files as they are now. */
const nowFiles = 'worktree';

export interface SessionEnds {
  readonly base?: string | undefined;
  readonly end?: string | undefined;
}

/**
 * What a recorded session changed, as far as that is known: from the commit that the agent's program wrote down, else
 * the one that the head was at then, to the files as they are when nothing has moved since. What is not known is asked for.
 * @throws CoachError `session.missing`; `input.invalid` naming what is missing and the flag that gives it
 */
export async function changeOfSession(
  sessionId: string,
  ends: SessionEnds,
  past: Past,
  signal: AbortSignal,
): Promise<PastChange> {
  const session = await past.sessions.clean(sessionId);
  const place = await placeOf(session, past);
  const start = await startOf(session, ends.base, past, signal);
  const end = await endOf(session, ends.end, start.commit, past, signal);
  const startTree = await treeOfCommit(past.store, start.commit, signal);
  return {
    source: 'session',
    ...{ startTree, endTree: end.tree, startCommit: start.commit, endCommit: end.commit, session },
    commits: await commitsBetween(past.repository, start.commit, end.commit, signal),
    words: { title: session.title, body: '' },
    notes: [...place, ...start.notes, ...end.notes],
  };
}

/** Files that the session's editing tools named, relative to the repository; those of shell commands are not known. */
export function filesNamedBy(session: CleanSession, root: string): Set<string> {
  const paths = session.messages.flatMap(message =>
    message.role === 'tool' ? filesEditedBy({ toolName: message.name, text: message.input }) : [],
  );
  const within = session.repository ?? root;
  return new Set(paths.map(path => (isAbsolute(path) ? relative(root, path) : relative(root, `${within}/${path}`))));
}

/** @throws CoachError `input.invalid` for a session of another repository */
async function placeOf({ repository: place }: CleanSession, { repository }: Past): Promise<string[]> {
  if (place === null) return ['Where the session worked was not recorded; this repository was taken for it.'];
  const way = relative(repository.root, await realpath(place).catch(() => place));
  if (!isAbsolute(way) && way.split(/[/\\]/)[0] !== '..') return [];
  throw new CoachError('input.invalid', `The session worked in ${place}, not in ${repository.root}.`, {
    hint: 'Name that repository: --repository <directory>',
  });
}

async function startOf(
  session: CleanSession,
  base: string | undefined,
  { repository, sessions }: Past,
  signal: AbortSignal,
): Promise<{ commit: string; notes: string[] }> {
  if (base !== undefined) return { commit: await requireRevision(repository, base, '--base', signal), notes: [] };
  const uncommitted = 'What was not committed at its start counts as the session’s work.';
  const written = await sessions.startCommit(session.session_id);
  const known = written === null ? null : await findCommit(repository, written, signal);
  if (known !== null)
    return { commit: known, notes: [`The session started at ${short(known)}, as it was recorded. ${uncommitted}`] };
  const move = (await headMoves(repository)).find(({ atMs }) => atMs <= Date.parse(session.started_at));
  const commit = move === undefined ? null : await findCommit(repository, move.commit, signal);
  if (commit !== null) {
    return {
      commit,
      notes: [`The head was at ${short(commit)} when the session started, by the repository’s own log. ${uncommitted}`],
    };
  }
  const why =
    written === null
      ? 'was not recorded, and the repository’s log does not reach back to it'
      : `was ${short(written)}, which is not in this clone`;
  throw new CoachError('input.invalid', `The commit that the session started from ${why} (${session.started_at}).`, {
    hint: `Name it in a terminal: codex-coach task from ${session.session_id} --base <commit>`,
  });
}

async function endOf(
  session: CleanSession,
  end: string | undefined,
  start: string,
  { repository, store }: Past,
  signal: AbortSignal,
): Promise<{ tree: string; commit: string; notes: string[] }> {
  const head = requireCommit(repository);
  if (end !== undefined && end !== nowFiles) {
    const commit = await requireRevision(repository, end, '--end', signal);
    return { tree: await treeOfCommit(store, commit, signal), commit, notes: [] };
  }
  const endedMs = Date.parse(session.ended_at);
  const later = (await headMoves(repository)).filter(({ atMs, commit }) => atMs > endedMs && commit !== start);
  const first = later.at(-1);
  if (end === undefined && first !== undefined) {
    throw new CoachError(
      'input.invalid',
      `The head has moved since the session ended (${session.ended_at}), first to ${short(first.commit)}, so what it left is not known.`,
      {
        hint: `Name it: --end ${short(first.commit)} if that holds its work, or --end ${nowFiles} for the files as they are now.`,
      },
    );
  }
  const notes = end === undefined ? ['The files as they are now were taken for what the session left.'] : [];
  return { tree: await treeOfFiles(repository, store, signal), commit: head, notes };
}
