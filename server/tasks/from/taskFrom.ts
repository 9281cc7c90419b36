import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { assertNever, CoachError } from '../../../protocol/errors.ts';
import type { TaskKind, TaskSource } from '../../../protocol/tasks.ts';
import { toIso } from '../../base/clock.ts';
import { findCommit, withObjectsOf } from '../../git/history.ts';
import { type Repository, repositoryAt } from '../../git/repository.ts';
import { statusOf } from '../../git/status.ts';
import { diffTrees, type TreeDiff } from '../../git/tree.ts';
import type { CleanSession } from '../../traces/exports/export.ts';
import type { CaptureDeps } from '../capture.ts';
import { writeCreated } from '../createdFiles.ts';
import { draftInstruction, instructionNotes, leakedLines, leakSentence } from '../instruction.ts';
import { createdDirectory, requirePlaces, toTaskId, writeIgnoreFile } from '../places.ts';
import { kindOf, missingTestsNotes } from '../taskKind.ts';
import { isTestPath } from '../testing/testFiles.ts';
import { changeOfCommit, changeOfRange, toRange } from './commits.ts';
import type { Past, PastChange } from './pastChange.ts';
import { changeOfPatch } from './patchFile.ts';
import { changeOfSession, filesNamedBy } from './session.ts';

export interface FromSpec {
  readonly repository: string;
  readonly source: string;
  readonly as?: TaskSource | undefined;
  readonly base?: string | undefined;
  readonly end?: string | undefined;
  readonly title?: string | undefined;
  readonly instruction?: string | undefined;
  readonly kind?: TaskKind | undefined;
  readonly sessionId?: string | undefined;
  readonly labels: readonly string[];
}

export interface TaskFrom {
  /** Of the created task. */
  readonly directory: string;
  readonly source: TaskSource;
  readonly notes: readonly string[];
}

/**
 * Makes a created task of something that has happened, whole or not at all. The repository is only read: its index, head,
 * hooks and configuration are neither used nor changed.
 * @throws CoachError `input.invalid`, `task.empty`, `task.invalid`, `task.secrets`, `session.missing`
 */
export async function taskFrom(spec: FromSpec, deps: CaptureDeps, signal: AbortSignal): Promise<TaskFrom> {
  const repository = await repositoryAt(spec.repository, signal);
  await requirePlaces(repository.root);
  return withObjectsOf(
    repository,
    async store => {
      const past = { repository, store, sessions: deps.sessions };
      const found = await changeOf(spec, past, signal);
      const session = spec.sessionId === undefined ? found.session : await deps.sessions.clean(spec.sessionId);
      const change = { ...found, session };
      const diff = await diffTrees(store, change.startTree, change.endTree, signal);
      if (diff.files.length === 0) throw nothingChanged(spec.source);
      const { title, body } = change.words;
      const name = spec.title ?? (title.slice(0, 200) || `Change of ${spec.source}`.slice(0, 200));
      const instruction = spec.instruction ?? draftInstruction(title, body, session);
      const createdAt = toIso(deps.clock.now());
      const taskId = toTaskId(name, createdAt);
      const directory = join(createdDirectory(repository.root), taskId);
      const kept = { ...change, store, repository, taskId, createdAt, instruction, kind: spec.kind, patch: diff.patch };
      const said = { title: name, tags: spec.labels, notes: body, summary: '', startBranch: repository.branch };
      await writeIgnoreFile(repository.root);
      await writeCreated(directory, { ...kept, ...said, dirty: await statusOf(repository, signal) }, signal);
      const kind = spec.kind ?? kindOf(diff.files);
      const solution = await solutionOf(diff, kind, { ...past, ...change }, signal);
      return {
        directory,
        source: change.source,
        notes: [
          ...change.notes,
          ...missingTestsNotes(diff.files, kind),
          ...notesOn(instruction, solution, kind),
          ...unnamedFiles(diff, session, repository),
        ],
      };
    },
    signal,
  );
}

async function changeOf(spec: FromSpec, past: Past, signal: AbortSignal): Promise<PastChange> {
  const { source } = spec;
  const file = resolve(spec.repository, source);
  const kind = spec.as ?? (await sourceOf(source, file, past, signal));
  refuseUnused(spec, kind);
  switch (kind) {
    case 'commit':
      return changeOfCommit(source, past, signal);
    case 'range':
      return changeOfRange(toRange(source) ?? { from: source, to: 'HEAD' }, past, signal);
    case 'patch':
      return changeOfPatch(file, spec.base, past, signal);
    case 'session':
      return changeOfSession(source, spec, past, signal);
    default:
      return assertNever(kind);
  }
}

/** @throws CoachError `input.invalid` when a source is nothing, or several things at once */
async function sourceOf(source: string, file: string, past: Past, signal: AbortSignal): Promise<TaskSource> {
  const isFile = (await stat(file).catch(() => null))?.isFile() ?? false;
  if (!isFile && toRange(source) !== null) return 'range';
  const candidates: readonly (TaskSource | null)[] = [
    isFile ? 'patch' : null,
    (await past.sessions.isRecorded(source)) ? 'session' : null,
    (await findCommit(past.repository, source, signal)) === null ? null : 'commit',
  ];
  const [first, second] = candidates.filter(candidate => candidate !== null);
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined) {
    throw new CoachError('input.invalid', `${source} is a ${first} and a ${second}.`, {
      hint: `Say which is meant: --as ${first}, or --as ${second}`,
    });
  }
  throw new CoachError('input.invalid', `${source} is no commit, range, patch file or recorded session here.`, {
    hint: 'Commits are listed by git log --oneline, recorded sessions by: codex-coach sessions list',
  });
}

/** A flag that would say nothing is a misunderstanding. */
function refuseUnused({ base, end }: FromSpec, kind: TaskSource): void {
  const unused = kind === 'session' ? null : end !== undefined ? '--end' : null;
  const flag = unused ?? (base !== undefined && (kind === 'commit' || kind === 'range') ? '--base' : null);
  if (flag === null) return;
  throw new CoachError('input.invalid', `${flag} says nothing about a ${kind}, which has its own start and end.`, {
    hint: 'Name both ends as a range: codex-coach task from <start>..<end>',
  });
}

/** What an agent would have to come up with: without the tests, where tests judge. */
async function solutionOf(
  { patch, files }: TreeDiff,
  kind: TaskKind,
  { store, startTree, endTree }: Past & PastChange,
  signal: AbortSignal,
): Promise<string> {
  if (kind !== 'code') return patch.toString();
  const paths = files.map(file => file.path).filter(path => !isTestPath(path));
  return (await diffTrees(store, startTree, endTree, signal, paths)).patch.toString();
}

function notesOn(instruction: string, solution: string, kind: TaskKind): string[] {
  const leaked = leakedLines(instruction, solution, kind);
  const leak = leaked.length === 0 ? [] : [`${leakSentence(leaked)}. Preparing refuses that: codex-coach task edit`];
  return [...instructionNotes(instruction), ...leak];
}

/** Files of a session's change that its editing tools did not name: a shell command may have, or someone else. */
function unnamedFiles({ files }: TreeDiff, session: CleanSession | null, { root }: Repository): string[] {
  if (session === null) return [];
  const named = filesNamedBy(session, root);
  const others = files.map(file => file.path).filter(path => !named.has(path));
  if (named.size === 0 || others.length === 0) return [];
  const shown = others.slice(0, 5).join(', ') + (others.length > 5 ? ', …' : '');
  return [`Changed, but not by an editing tool of the session: ${shown}. Make sure that they belong to it.`];
}

function nothingChanged(source: string): CoachError {
  return new CoachError('task.empty', `${source} changes no file.`, {
    hint: 'A task needs a change that solves it. See what there is: git log --stat',
  });
}
