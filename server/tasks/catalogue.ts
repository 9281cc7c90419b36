import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import type { TaskKind, TaskSummary } from '../../protocol/tasks.ts';
import { toIso } from '../base/clock.ts';
import { withBundle } from '../git/bundle.ts';
import { diffTrees, patchTree } from '../git/tree.ts';
import { loadCreatedTask } from './createdTask.ts';
import { isProven, loadCoachMetadata, loadPreparedTask } from './format.ts';
import { mutantName } from './mutation/mutant.ts';
import { createdDirectory, directoryNames, preparedDirectory, requirePlaces, requireTaskName } from './places.ts';
import { kindOf } from './taskKind.ts';

export interface TaskDetail {
  readonly kind: TaskKind;
  readonly instruction: string;
  readonly files: readonly string[];
  readonly failToPass: readonly string[];
  readonly passToPass: readonly string[];
}

interface Listed {
  readonly summary: TaskSummary;
  /** The created task that this is, or was prepared from; null when it can't be read. */
  readonly taskId: string | null;
}

/** All tasks of a repository, newest first. A broken one is listed with its problem; a prepared one stands for its created one. */
export async function listTasks(root: string): Promise<TaskSummary[]> {
  await requirePlaces(root);
  const prepared: Listed[] = [];
  for (const name of await directoryNames(preparedDirectory(root))) prepared.push(await preparedEntry(root, name));
  const taken = new Set(prepared.map(entry => entry.taskId));
  const created: Listed[] = [];
  for (const name of await directoryNames(createdDirectory(root))) {
    if (!taken.has(name)) created.push(await createdEntry(root, name));
  }
  return [...prepared, ...created].map(entry => entry.summary).sort((a, b) => b.createdAt.localeCompare(a.createdAt));
}

/** One task by its id, or a prepared one by the id of its created task. @throws CoachError `task.missing`. */
export async function findTask(root: string, id: string): Promise<TaskSummary> {
  requireTaskName(id);
  await requirePlaces(root);
  const prepared = await directoryNames(preparedDirectory(root));
  if (prepared.includes(id)) return (await preparedEntry(root, id)).summary;
  for (const name of prepared) {
    const entry = await preparedEntry(root, name);
    if (entry.taskId === id) return entry.summary;
  }
  if ((await directoryNames(createdDirectory(root))).includes(id)) return (await createdEntry(root, id)).summary;
  throw new CoachError('task.missing', `There is no task ${id} in ${root}.`, { hint: 'See: codex-coach task list' });
}

/** @throws CoachError `task.invalid` naming file and field */
export async function taskDetail(task: TaskSummary, signal: AbortSignal): Promise<TaskDetail> {
  if (task.state !== 'created') {
    const { kind, instruction, verifier } = await loadPreparedTask(task.directory);
    const { files } = await loadCoachMetadata(task.directory);
    const shown = { kind, instruction, files };
    if (verifier.kind === 'mutation') return { ...shown, failToPass: verifier.mutants.map(mutantName), passToPass: [] };
    if (verifier.kind !== 'tests') return { ...shown, failToPass: [], passToPass: [] };
    return { ...shown, failToPass: verifier.failToPass, passToPass: verifier.passToPass };
  }
  const { meta, patch, bundle } = await loadCreatedTask(task.directory);
  const changed = await withBundle(bundle, async start => {
    const end = await patchTree(start, start.tree, patch, signal);
    return (await diffTrees(start, start.tree, end, signal)).files;
  });
  const files = changed.map(file => file.path);
  const kind = meta.evaluation.kind ?? kindOf(changed);
  return { kind, instruction: meta.lm.instructions, files, failToPass: [], passToPass: [] };
}

async function preparedEntry(root: string, name: string): Promise<Listed> {
  const directory = join(preparedDirectory(root), name);
  const base = { id: name, repository: root, directory, state: 'prepared' } as const;
  try {
    const { title, task_id, captured_at, keywords, agents } = await loadCoachMetadata(directory);
    const named = agents === undefined ? {} : { agents };
    const shown = { ...base, ...named, title, createdAt: captured_at, tags: keywords };
    try {
      const { proof } = await loadPreparedTask(directory);
      const problem = proof === null || isProven(proof) ? null : 'The last validation did not prove this task.';
      return { taskId: task_id, summary: { ...shown, state: isProven(proof) ? 'proven' : 'prepared', proof, problem } };
    } catch (error) {
      return { taskId: task_id, summary: { ...shown, proof: null, problem: CoachError.from(error).message } };
    }
  } catch (error) {
    return { taskId: null, summary: await brokenSummary(base, error) };
  }
}

async function createdEntry(root: string, name: string): Promise<Listed> {
  const directory = join(createdDirectory(root), name);
  const base = { id: name, repository: root, directory, state: 'created' } as const;
  try {
    const { title, created_at, tags } = (await loadCreatedTask(directory)).meta.metadata;
    return { taskId: name, summary: { ...base, title, createdAt: created_at, tags, proof: null, problem: null } };
  } catch (error) {
    return { taskId: name, summary: await brokenSummary(base, error) };
  }
}

async function brokenSummary(
  base: Pick<TaskSummary, 'id' | 'repository' | 'directory' | 'state'>,
  error: unknown,
): Promise<TaskSummary> {
  const createdAt = toIso((await stat(base.directory)).mtimeMs);
  return { ...base, title: base.id, createdAt, tags: [], proof: null, problem: CoachError.from(error).message };
}
