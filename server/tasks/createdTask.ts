import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { readableIssues } from '../../protocol/api.ts';
import { CoachError } from '../../protocol/errors.ts';
import { TaskKind } from '../../protocol/tasks.ts';

/** `tb_meta.json`. Names are those of the format that it continues. */
export const TaskMeta = z.object({
  task_id: z.string().min(1).describe('Id of the task: the name of its directory.'),
  metadata: z.object({
    title: z.string().min(1).describe('What the task is called in lists and reports.'),
    tags: z.array(z.string()).describe('Labels that lists show.'),
    notes: z.string().describe('What was noted when the recording began.'),
    summary: z.string().describe('What was noted when it ended.'),
    created_at: z.iso.datetime().describe('When it was captured, in UTC: `"2026-11-21T09:30:00Z"`.'),
  }),
  repo: z.object({
    git_url: z.string().nullable().describe('Remote, without user and password; null when the repository has none.'),
    branch: z.string().nullable().describe('Branch at the start; null when none was checked out.'),
    start_commit_sha: z.string().describe('Commit that the recorded change starts from.'),
    end_commit_sha: z.string().describe('Commit that was checked out at the end.'),
    subdir: z.string().describe('Directory of the repository that the task is in; empty for all of it.'),
    sparse_checkout: z.array(z.string()).describe('Paths that are checked out; empty for all.'),
  }),
  lm: z.object({
    instructions: z.string().describe('What an agent is told; `task prepare` writes it to instruction.md.'),
  }),
  evaluation: z.object({
    rubrics: z
      .array(
        z.object({
          id: z.string().describe('Name of the criterion.'),
          criterion: z.string().describe('What must hold of the change, with the answer met or unmet.'),
          weight: z.number().describe('Its share of the rubric, beside those of the other criteria.'),
        }),
      )
      .describe('Criteria that become rubric.toml when the task is prepared.'),
    start_bundle: z
      .literal('evaluation/start.bundle')
      .describe('The start, which may differ from its commit: untracked files belong to it.'),
    kind: TaskKind.optional().describe('What it was captured as; told by the changed files when it is not said.'),
  }),
});
export type TaskMeta = z.infer<typeof TaskMeta>;

/** `repo_info.json`. */
export interface RepoInfo {
  readonly branch: string | null;
  readonly start_commit: string;
  readonly end_commit: string;
  /** Commits made while recording, oldest first. */
  readonly commits: readonly string[];
  readonly remotes: readonly { readonly name: string; readonly url: string }[];
  /** The working tree at the end. */
  readonly dirty: { readonly changed: readonly string[]; readonly untracked: readonly string[] };
}

/** A task as captured: `tb_meta.json diff.patch repo_info.json trace/ evaluation/ notes.md`. */
export interface CreatedTask {
  readonly directory: string;
  readonly meta: TaskMeta;
  readonly patch: Buffer;
  /** Git bundle of the start tree. */
  readonly bundle: string;
  readonly sessionId: string | null;
}

/** @throws CoachError `task.missing`, or `task.invalid` naming file and field. */
export async function loadCreatedTask(directory: string): Promise<CreatedTask> {
  await requireTaskDirectory(directory);
  const metaFile = join(directory, 'tb_meta.json');
  const meta = parseTaskMeta(metaFile, (await requireFile(metaFile)).toString());
  const bundle = join(directory, meta.evaluation.start_bundle);
  await requireFile(bundle);
  const sessionId = (await requireFile(join(directory, 'trace', 'session_id.txt'))).toString().trim();
  const patch = await requireFile(join(directory, 'diff.patch'));
  return { directory, meta, patch, bundle, sessionId: sessionId === '' ? null : sessionId };
}

/**
 * A task comes with a repository that may be hostile, and what its files hold goes to agents and into sandboxes: a link
 * in it could be to any file of this machine.
 * @throws CoachError `task.missing`; `task.invalid` when anything but files and directories lies in it.
 */
export async function requireTaskDirectory(directory: string): Promise<void> {
  const found = await lstat(directory).catch(() => null);
  if (found === null || !(found.isDirectory() || found.isSymbolicLink())) {
    throw new CoachError('task.missing', `There is no task at ${directory}.`, { hint: 'See: codex-coach task list' });
  }
  if (found.isSymbolicLink()) throw notPlain(directory);
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const odd = entries.find(entry => !entry.isFile() && !entry.isDirectory());
  if (odd !== undefined) throw notPlain(join(odd.parentPath, odd.name));
}

/** Content of a file in a directory that `requireTaskDirectory` let pass. @throws CoachError `task.invalid`. */
export async function requireFile(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw broken(file, (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is missing' : String(cause), cause);
  });
}

export async function readJson(file: string): Promise<unknown> {
  return parseJson(file, (await requireFile(file)).toString());
}

/** The content of a `tb_meta.json`. @throws CoachError `task.invalid` naming the field */
export function parseTaskMeta(file: string, text: string): TaskMeta {
  return parseFile(TaskMeta, file, parseJson(file, text));
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw broken(file, `it is not JSON (${(cause as Error).message})`, cause);
  }
}

export function parseFile<S extends z.ZodType>(schema: S, file: string, content: unknown): z.output<S> {
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw broken(file, readableIssues(parsed.error));
}

export function broken(file: string, reason: string, cause?: unknown): CoachError {
  return new CoachError('task.invalid', `${file} can't be used: ${reason}.`, {
    cause,
    hint: 'Restore the file from version control, or record and prepare the task again.',
  });
}

function notPlain(file: string): CoachError {
  return new CoachError('task.invalid', `${file} can't be used: it is a link or no regular file.`, {
    hint: 'Put a copy of what it should hold in its place; a task has plain files and directories only.',
  });
}
