import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import type { Clock } from '../base/clock.ts';
import { toIso } from '../base/clock.ts';
import type { CoachPaths } from '../base/paths.ts';
import { redact } from '../base/redact.ts';
import { bundleOf } from '../git/bundle.ts';
import { commitsBetween, type Repository, repositoryAt, requireCommit } from '../git/repository.ts';
import { isKept, keepTree, shadowOf, snapshot } from '../git/shadow.ts';
import { statusOf } from '../git/status.ts';
import type { GitStore } from '../git/store.ts';
import { diffTrees } from '../git/tree.ts';
import type { CleanSession } from '../traces/export.ts';
import type { RepoInfo, TaskMeta } from './createdTask.ts';
import { draftInstruction } from './instruction.ts';
import { requirePlaces, toSlug, writeIgnoreFile, writeTaskDirectory } from './places.ts';
import { checkReadiness, requireReady } from './readiness.ts';
import { directoryOf, removeRecording, requireRecording, type StoredRecording, storeRecording } from './recording.ts';
import { refuseSecrets, secretsInPatch } from './secrets.ts';
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
  const taskId = `${toSlug(spec.title)}-${startedAt.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}`;
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
  const repository = await repositoryAt(spec.repository, signal);
  await requirePlaces(repository.root);
  const recording = await requireRecording(repository.root);
  const shadow = await shadowOf(repository, deps.paths, signal);
  // The file may have come with the repository: only a start that was kept here was recorded here.
  if (!(await isKept(shadow, recording.taskId, recording.startTree, signal))) {
    throw new CoachError('recording.missing', `The start of this recording is not in ${deps.paths.home}.`, {
      hint: 'Use the COACH_HOME that it was started with, or give it up: codex-coach task discard',
    });
  }
  const directory = directoryOf(recording);
  // Written, but the recording was not removed: the server died in between.
  if ((await stat(directory).catch(() => null)) === null) {
    await writeCreatedTask(spec, recording, { repository, shadow, directory }, deps, signal);
  }
  await removeRecording(repository.root);
  return directory;
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
  refuseSecrets(secretsInPatch(patch.toString()), 'The change');
  const session = await sessionOf(spec, recording, deps.sessions);
  const meta = toMeta(spec, recording, repository, session);
  const info = await toRepoInfo(recording, repository, signal);
  await writeTaskDirectory(target, async directory => {
    await mkdir(join(directory, 'trace'), { recursive: true });
    await mkdir(join(directory, 'evaluation'), { recursive: true });
    await writeFile(join(directory, 'tb_meta.json'), toJson(meta));
    await writeFile(join(directory, 'repo_info.json'), toJson(info));
    await writeFile(join(directory, 'diff.patch'), patch);
    await writeFile(join(directory, 'trace', 'session_clean.json'), toJson(session));
    await writeFile(join(directory, 'trace', 'session_id.txt'), session === null ? '' : `${session.session_id}\n`);
    await writeFile(join(directory, 'notes.md'), toNotes(spec, recording));
    await bundleOf(shadow, recording.startTree, join(directory, meta.evaluation.start_bundle), signal);
  });
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

function toMeta(
  spec: EndSpec,
  recording: StoredRecording,
  repository: Repository,
  session: CleanSession | null,
): TaskMeta {
  return {
    task_id: recording.taskId,
    metadata: {
      title: recording.title,
      tags: [...new Set([...recording.labels, ...spec.labels])],
      notes: redact(recording.notes),
      summary: redact(spec.summary),
      created_at: recording.startedAt,
    },
    repo: {
      git_url: (repository.remotes.find(remote => remote.name === 'origin') ?? repository.remotes[0])?.url ?? null,
      branch: recording.startBranch,
      start_commit_sha: recording.startCommit,
      end_commit_sha: requireCommit(repository),
      subdir: '',
      sparse_checkout: [],
    },
    lm: { instructions: redact(draftInstruction(recording.title, recording.notes, session)) },
    evaluation: { rubrics: [], start_bundle: 'evaluation/start.bundle' },
  };
}

async function toRepoInfo(recording: StoredRecording, repository: Repository, signal: AbortSignal): Promise<RepoInfo> {
  const head = requireCommit(repository);
  return {
    branch: repository.branch,
    start_commit: recording.startCommit,
    end_commit: head,
    commits: await commitsBetween(repository, recording.startCommit, head, signal),
    remotes: repository.remotes,
    dirty: await statusOf(repository, signal),
  };
}

function toNotes(spec: EndSpec, recording: StoredRecording): string {
  const parts = [`# ${recording.title}`, recording.notes.trim(), spec.summary.trim()].map(part => redact(part));
  return `${parts.filter(part => part !== '').join('\n\n')}\n`;
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
