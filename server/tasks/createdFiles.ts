import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskKind } from '../../protocol/tasks.ts';
import { redact } from '../base/redact/redact.ts';
import { bundleOf } from '../git/bundle.ts';
import type { Repository } from '../git/repository.ts';
import type { Status } from '../git/status.ts';
import type { GitStore } from '../git/store.ts';
import type { CleanSession } from '../traces/exports/export.ts';
import type { RepoInfo, TaskMeta } from './createdTask.ts';
import { writeTaskDirectory } from './places.ts';
import { refuseSecrets, secretsInPatch } from './secrets.ts';

/** A change as it was captured, wherever it came from. */
export interface CapturedChange {
  readonly taskId: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly notes: string;
  readonly summary: string;
  /** ISO. */
  readonly createdAt: string;
  readonly instruction: string;
  /** Told by the changed files when it is not said. */
  readonly kind: TaskKind | undefined;
  readonly repository: Repository;
  readonly startCommit: string;
  readonly startBranch: string | null;
  readonly endCommit: string;
  /** Oldest first. */
  readonly commits: readonly string[];
  readonly dirty: Status;
  readonly session: CleanSession | null;
  /** Holds the start tree. */
  readonly store: GitStore;
  readonly startTree: string;
  readonly patch: Buffer;
}

/**
 * Writes a created task, whole or not at all. Secrets in texts are taken out; one in the change is refused, since a change
 * without it would be another one.
 * @throws CoachError `task.secrets` naming file and line, `disk.readOnly`, `disk.full`
 */
export async function writeCreated(target: string, change: CapturedChange, signal: AbortSignal): Promise<void> {
  const { session, patch, store, startTree } = change;
  refuseSecrets(secretsInPatch(patch.toString()), 'The change');
  const meta = toMeta(change);
  await writeTaskDirectory(target, async directory => {
    await mkdir(join(directory, 'trace'), { recursive: true });
    await mkdir(join(directory, 'evaluation'), { recursive: true });
    await writeFile(join(directory, 'tb_meta.json'), toJson(meta));
    await writeFile(join(directory, 'repo_info.json'), toJson(toRepoInfo(change)));
    await writeFile(join(directory, 'diff.patch'), patch);
    await writeFile(join(directory, 'trace', 'session_clean.json'), toJson(session));
    await writeFile(join(directory, 'trace', 'session_id.txt'), session === null ? '' : `${session.session_id}\n`);
    await writeFile(join(directory, 'notes.md'), toNotes(change));
    await bundleOf(store, startTree, join(directory, meta.evaluation.start_bundle), signal);
  });
}

function toMeta(change: CapturedChange): TaskMeta {
  const { remotes } = change.repository;
  return {
    task_id: change.taskId,
    metadata: {
      title: redact(change.title),
      tags: [...new Set(change.tags)],
      notes: redact(change.notes),
      summary: redact(change.summary),
      created_at: change.createdAt,
    },
    repo: {
      git_url: (remotes.find(remote => remote.name === 'origin') ?? remotes[0])?.url ?? null,
      branch: change.startBranch,
      start_commit_sha: change.startCommit,
      end_commit_sha: change.endCommit,
      subdir: '',
      sparse_checkout: [],
    },
    lm: { instructions: redact(change.instruction) },
    evaluation: {
      rubrics: [],
      start_bundle: 'evaluation/start.bundle',
      ...(change.kind === undefined ? {} : { kind: change.kind }),
    },
  };
}

function toRepoInfo({ repository, startCommit, endCommit, commits, dirty }: CapturedChange): RepoInfo {
  return {
    branch: repository.branch,
    start_commit: startCommit,
    end_commit: endCommit,
    commits,
    remotes: repository.remotes,
    dirty,
  };
}

function toNotes({ title, notes, summary }: CapturedChange): string {
  const parts = [`# ${title}`, notes.trim(), summary.trim()].map(part => redact(part));
  return `${parts.filter(part => part !== '').join('\n\n')}\n`;
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
