import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { readableIssues } from '../../protocol/api.ts';
import { CoachError } from '../../protocol/errors.ts';
import { Recording } from '../../protocol/tasks.ts';
import { readOnlyError } from '../base/paths.ts';
import { createdDirectory, taskName } from './places.ts';

/**
 * A recording under way, as it lies in `.coach/recording.json`: it is the one place of this state, so that it survives
 * the server and every window. Anyone can commit such a file, so where to write is not taken from it.
 */
export const StoredRecording = Recording.omit({ directory: true }).extend({
  format: z.literal(1),
  taskId: z.string().regex(taskName),
  notes: z.string(),
  labels: z.array(z.string()),
  startBranch: z.string().nullable(),
  /** Tree in the shadow store. */
  startTree: z.string(),
});
export type StoredRecording = z.infer<typeof StoredRecording>;

/** @throws CoachError `task.invalid` when the file is broken, `recording.missing` when it is of another repository. */
export async function loadRecording(root: string): Promise<StoredRecording | null> {
  const file = recordingFile(root);
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  const parsed = StoredRecording.safeParse(jsonOrNull(text));
  if (parsed.success && parsed.data.repository === root) return parsed.data;
  if (parsed.success) {
    throw new CoachError('recording.missing', `${file} is a recording of ${parsed.data.repository}, not of ${root}.`, {
      hint: 'Give it up: codex-coach task discard. Your files stay as they are.',
    });
  }
  throw new CoachError('task.invalid', `${file} is broken: ${readableIssues(parsed.error)}.`, {
    hint: 'Give the recording up: codex-coach task discard. Your files stay as they are.',
  });
}

/** @throws CoachError `recording.missing` */
export async function requireRecording(root: string): Promise<StoredRecording> {
  const recording = await loadRecording(root);
  if (recording !== null) return recording;
  throw new CoachError('recording.missing', `No task is being recorded in ${root}.`, {
    hint: 'Start one: codex-coach task start "<title>"',
  });
}

/** Writes a new recording, whole or not at all. @throws CoachError `recording.active` when there is one. */
export async function storeRecording(recording: StoredRecording): Promise<void> {
  const file = recordingFile(recording.repository);
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await mkdir(join(recording.repository, '.coach'), { recursive: true });
    await writeFile(temporary, `${JSON.stringify(recording, null, 2)}\n`);
    // Unlike rename, link does not replace: of two starts at once, one wins.
    await link(temporary, file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw activeError(recording.repository);
    throw readOnlyError(file, cause);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** @returns whether there was one */
export async function removeRecording(root: string): Promise<boolean> {
  const file = recordingFile(root);
  const existed = (await readFile(file).catch(() => null)) !== null;
  await rm(file, { force: true }).catch((cause: unknown) => {
    throw readOnlyError(file, cause);
  });
  return existed;
}

export function activeError(root: string): CoachError {
  return new CoachError('recording.active', `A task is being recorded in ${root} already.`, {
    hint: 'End it with `codex-coach task end`, or give it up with `codex-coach task discard`.',
  });
}

/** Where the created task will lie. */
export function directoryOf({ repository, taskId }: StoredRecording): string {
  return join(createdDirectory(repository), taskId);
}

export function toRecording(recording: StoredRecording): Recording {
  const { taskId, title, repository, startedAt, startCommit } = recording;
  return { taskId, title, repository, startedAt, startCommit, directory: directoryOf(recording) };
}

function recordingFile(root: string): string {
  return join(root, '.coach', 'recording.json');
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
