import { stat } from 'node:fs/promises';
import { CoachError } from '../../protocol/errors.ts';
import type { Clock } from '../base/clock.ts';
import { toIso } from '../base/clock.ts';
import type { CoachPaths } from '../base/paths.ts';
import { commitsBetween, type Repository, repositoryAt, requireCommit } from '../git/repository.ts';
import { isKept, keepTree, shadowOf, snapshot } from '../git/shadow.ts';
import { statusOf } from '../git/status.ts';
import type { GitStore } from '../git/store.ts';
import { type ChangedFile, diffTrees } from '../git/tree.ts';
import type { CleanSession } from '../traces/exports/export.ts';
import { type CapturedChange, writeCreated } from './createdFiles.ts';
import { draftInstruction } from './instruction.ts';
import { requirePlaces, toTaskId, writeIgnoreFile } from './places.ts';
import { checkReadiness, requireReady } from './readiness.ts';
import { directoryOf, removeRecording, requireRecording, type StoredRecording, storeRecording } from './recording.ts';
import type { SessionSource } from './sessionSource.ts';

export interface CaptureDeps {
  readonly paths: CoachPaths;
  readonly clock: Clock;
  readonly sessions: SessionSource;
}

export interface StartSpec {
  readonly repository: string;
  readonly title: string;
  readonly notes: string;
  readonly labels: readonly string[];
}

export interface EndSpec {
  readonly repository: string;
  readonly summary: string;
  readonly labels: readonly string[];
  readonly sessionId?: string | undefined;
  /** Attached when it was recorded, ignored otherwise. */
  readonly preferredSession?: string | undefined;
}

/** Starts recording. @throws CoachError of what `check` would find in the way; nothing is written then. */
export async function startRecording(
  spec: StartSpec,
  deps: CaptureDeps,
  signal: AbortSignal,
): Promise<StoredRecording> {
  requireReady(await checkReadiness(spec.repository, signal));
  const repository = await repositoryAt(spec.repository, signal);
  await requirePlaces(repository.root);
  const startedAt = toIso(deps.clock.now());
  const taskId = toTaskId(spec.title, startedAt);
  const shadow = await shadowOf(repository, deps.paths, signal);
  const startTree = await snapshot(repository, shadow, signal);
  await keepTree(shadow, taskId, startTree, signal);
  const recording: StoredRecording = {
    format: 1,
    taskId,
    title: spec.title,
    notes: spec.notes,
    labels: [...spec.labels],
    repository: repository.root,
    startedAt,
    startCommit: requireCommit(repository),
    startBranch: repository.branch,
    startTree,
  };
  await writeIgnoreFile(repository.root);
  await storeRecording(recording);
  return recording;
}

/**
 * Ends the recording and writes the created task, whole or not at all. The recording goes on when this throws.
 * @throws CoachError `recording.missing`, `task.empty`, `task.secrets`, `session.missing`
 * @returns directory of the created task
 */
export async function endRecording(spec: EndSpec, deps: CaptureDeps, signal: AbortSignal): Promise<string> {
  const { repository, recording, shadow } = await openRecording(spec.repository, deps, signal);
  const directory = directoryOf(recording);
  // Written, but the recording was not removed: the server died in between.
  if ((await stat(directory).catch(() => null)) === null) {
    await writeCreatedTask(spec, recording, { repository, shadow, directory }, deps, signal);
  }
  await removeRecording(repository.root);
  return directory;
}

/** What the recording under way has come to. @throws CoachError `recording.missing` */
export async function recordedChange(
  directory: string,
  deps: CaptureDeps,
  signal: AbortSignal,
): Promise<readonly ChangedFile[]> {
  const { repository, recording, shadow } = await openRecording(directory, deps, signal);
  const endTree = await snapshot(repository, shadow, signal);
  return (await diffTrees(shadow, recording.startTree, endTree, signal)).files;
}

interface OpenRecording {
  readonly repository: Repository;
  readonly recording: StoredRecording;
  readonly shadow: GitStore;
}

/** @throws CoachError `recording.missing`, also where its start is not here, and that of `requirePlaces` */
async function openRecording(directory: string, { paths }: CaptureDeps, signal: AbortSignal): Promise<OpenRecording> {
  const repository = await repositoryAt(directory, signal);
  await requirePlaces(repository.root);
  const recording = await requireRecording(repository.root);
  const shadow = await shadowOf(repository, paths, signal);
  // The file may have come with the repository: only a start that was kept here was recorded here.
  if (!(await isKept(shadow, recording.taskId, recording.startTree, signal))) {
    throw new CoachError('recording.missing', `The start of this recording is not in ${paths.home}.`, {
      hint: 'Use the COACH_HOME that it was started with, or give it up: codex-coach task discard',
    });
  }
  return { repository, recording, shadow };
}

async function writeCreatedTask(
  spec: EndSpec,
  recording: StoredRecording,
  { repository, shadow, directory: target }: { repository: Repository; shadow: GitStore; directory: string },
  deps: CaptureDeps,
  signal: AbortSignal,
): Promise<void> {
  const endTree = await snapshot(repository, shadow, signal);
  const { patch, numbers } = await diffTrees(shadow, recording.startTree, endTree, signal);
  if (numbers.files === 0) {
    throw new CoachError('task.empty', 'Nothing has changed since the recording started.', {
      hint: 'Let the agent work first, or give the recording up: codex-coach task discard',
    });
  }
  const session = await sessionOf(spec, recording, deps.sessions);
  const head = requireCommit(repository);
  const created: CapturedChange = {
    taskId: recording.taskId,
    title: recording.title,
    tags: [...recording.labels, ...spec.labels],
    notes: recording.notes,
    summary: spec.summary,
    createdAt: recording.startedAt,
    instruction: draftInstruction(recording.title, recording.notes, session),
    kind: undefined,
    repository,
    startCommit: recording.startCommit,
    startBranch: recording.startBranch,
    endCommit: head,
    commits: await commitsBetween(repository, recording.startCommit, head, signal),
    dirty: await statusOf(repository, signal),
    session,
    store: shadow,
    startTree: recording.startTree,
    patch,
  };
  await writeCreated(target, created, signal);
}

/** The session asked for, else the preferred one, else the newest since the start; null when a person worked alone. */
async function sessionOf(
  spec: EndSpec,
  recording: StoredRecording,
  sessions: SessionSource,
): Promise<CleanSession | null> {
  if (spec.sessionId !== undefined) return sessions.clean(spec.sessionId);
  const preferred = spec.preferredSession;
  if (preferred !== undefined && (await sessions.isRecorded(preferred))) return sessions.clean(preferred);
  const [newest] = await sessions.since(Date.parse(recording.startedAt), recording.repository);
  return newest === undefined ? null : sessions.clean(newest.id);
}
