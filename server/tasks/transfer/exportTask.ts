import { lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify as stringifyToml } from 'smol-toml';
import { assertNever, CoachError } from '../../../protocol/errors.ts';
import type { TaskKind } from '../../../protocol/tasks.ts';
import { destinationOf, writeTo } from '../../base/destination.ts';
import { writeDirectoryAtomic } from '../../base/files.ts';
import { loadCoachMetadata, loadPreparedTask } from '../format.ts';
import type { PreparedTask } from '../preparedTask.ts';
import { rubricFile } from '../rubric.ts';
import type { CoachMetadata, ImportedMetadata } from '../taskToml.ts';
import { type FileNode, fileOf, filesUnder, readTree, type TreeNode, unpackTree, writeTree } from './directoryTree.ts';
import { originalFile, rowFile, withParents } from './importTask.ts';
import { parseInstance } from './swebench.ts';
import { ownInstanceId, toSweInstance } from './sweExport.ts';

export type ExportFormat = 'harbor' | 'swe-bench' | 'original';

/**
 * Writes a prepared task for another program. A task that came from the format that is asked for is written as it came:
 * every byte, mode and link; in a Harbor task with what was edited since.
 * @returns what its reader should know, one sentence each
 * @throws CoachError `input.invalid` when `output` is there already, or the task can't be said in that format
 */
export async function exportTask(
  directory: string,
  format: ExportFormat,
  output: string,
  signal: AbortSignal,
): Promise<string[]> {
  const metadata = await loadCoachMetadata(directory);
  if (metadata.verifier === 'mutation' || metadata.verifier === 'rubric') throw onlyJudgedHere(metadata.kind);
  switch (format) {
    case 'harbor':
      await requireAbsent(output);
      if (metadata.verifier === 'tests') return exportOwn(directory, output);
      return metadata.imported_from === 'harbor'
        ? exportEdited(directory, output)
        : convert(directory, metadata, output);
    case 'original':
      if (metadata.verifier === 'tests') {
        throw new CoachError('input.invalid', 'The task was not imported.', {
          hint: 'Export it with --format harbor.',
        });
      }
      await requireAbsent(output);
      await writeDirectoryAtomic(output, async to => writeTree(to, await originalOf(directory)));
      return [];
    case 'swe-bench':
      return exportInstance(directory, metadata, output, signal);
    default:
      return assertNever(format);
  }
}

function onlyJudgedHere(kind: TaskKind): CoachError {
  return new CoachError(
    'task.unsupported',
    `A task of the kind ${kind} has no hidden tests that another program could run.`,
    {
      hint: 'It can be run here: codex-coach run <task>',
    },
  );
}

async function originalOf(directory: string): Promise<TreeNode[]> {
  return unpackTree(await readFile(join(directory, originalFile)));
}

/** What a task is called among SWE-bench instances: as it was when it was one, else as its own export says. */
export async function instanceIdOf({ directory, name }: Pick<PreparedTask, 'directory' | 'name'>): Promise<string> {
  const row = fileOf(await originalOf(directory).catch(() => []), rowFile);
  return row === null ? ownInstanceId(name) : parseInstance(JSON.parse(row.content.toString()), directory).instance_id;
}

/** Ours is a Harbor directory already. */
async function exportOwn(directory: string, output: string): Promise<string[]> {
  const nodes = await readTree(directory);
  await writeDirectoryAtomic(output, to => writeTree(to, nodes));
  const hasRubric = fileOf(nodes, rubricFile) !== null;
  return hasRubric ? [`Harbor judges it by its tests alone: ${rubricFile} goes along and says nothing there.`] : [];
}

/** The original, with the files that were edited in the task since. What the format of ours adds stays behind. */
async function exportEdited(directory: string, output: string): Promise<string[]> {
  const original = await originalOf(directory);
  const nodes = await readTree(directory);
  const edited: FileNode[] = [];
  const compare = (path: string, now: FileNode | null) => {
    const then = fileOf(original, path);
    if (now !== null && (then === null || !then.content.equals(now.content))) edited.push({ ...now, path });
  };
  for (const part of ['tests', 'solution']) {
    for (const file of filesUnder(nodes, `${part}/files`)) compare(`${part}/${file.path}`, file);
  }
  const instruction = fileOf(nodes, 'instruction.md');
  const before = fileOf(original, 'instruction.md')?.content.toString().trim() ?? '';
  // The task's copy is trimmed, so only other words are an edit.
  if (instruction !== null && instruction.content.toString().trim() !== before) compare('instruction.md', instruction);
  await writeDirectoryAtomic(output, async to => {
    await writeTree(to, original);
    for (const { path, content } of edited) {
      // The original may come from a hostile repository: nothing is written through a link of it.
      if (original.some(node => node.kind === 'link' && path.startsWith(`${node.path}/`))) continue;
      await mkdir(dirname(join(to, path)), { recursive: true });
      await rm(join(to, path), { force: true });
      await writeFile(join(to, path), content);
    }
  });
  return edited.map(file => `${file.path} was edited since the import; the edit is part of the export.`);
}

/** A task of another format as a Harbor task: environment, script and solution as they run here. */
async function convert(directory: string, metadata: ImportedMetadata, output: string): Promise<string[]> {
  const nodes = await readTree(directory);
  const task = await loadPreparedTask(directory);
  const { keywords } = await loadCoachMetadata(directory);
  const solution = filesUnder(nodes, 'solution/files');
  const patch = fileOf(nodes, 'solution/solution.patch');
  const solve = Buffer.from(
    `#!/bin/sh\nset -eu\ncd ${task.workdir}\ngit apply --binary --whitespace=nowarn /solution/solution.patch\n`,
  );
  const isApplied = solution.length === 0 && patch !== null;
  const toml = stringifyToml({
    schema_version: '1.4',
    task: { name: `local/${task.name}`, description: metadata.title, authors: [], keywords },
    metadata: { imported_from: metadata.imported_from, rubrics: metadata.rubrics.map(rubric => ({ ...rubric })) },
    ...(task.agentTimeoutSec === null ? {} : { agent: { timeout_sec: task.agentTimeoutSec } }),
    verifier: {
      ...(task.verifier.kind === 'script'
        ? { timeout_sec: task.verifier.timeoutSec, env: { ...task.verifier.env } }
        : {}),
    },
    environment: { build_timeout_sec: 600 },
  });
  const files: FileNode[] = [
    { kind: 'file', path: 'task.toml', mode: 0o644, content: Buffer.from(toml) },
    { kind: 'file', path: 'instruction.md', mode: 0o644, content: Buffer.from(`${task.instruction}\n`) },
    ...filesUnder(nodes, 'environment').map(file => ({ ...file, path: `environment/${file.path}` })),
    ...filesUnder(nodes, 'tests/files').map(file => ({ ...file, path: `tests/${file.path}` })),
    ...solution.map(file => ({ ...file, path: `solution/${file.path}` })),
    ...(isApplied ? [{ ...patch, path: 'solution/solution.patch' }] : []),
    ...(isApplied ? [{ kind: 'file' as const, path: 'solution/solve.sh', mode: 0o755, content: solve }] : []),
  ];
  await writeDirectoryAtomic(output, to => writeTree(to, withParents(files)));
  return metadata.notes;
}

/** Adds the row to a JSONL file. A row that was imported is the same text again. */
async function exportInstance(
  directory: string,
  metadata: CoachMetadata | ImportedMetadata,
  output: string,
  signal: AbortSignal,
): Promise<string[]> {
  const isOwn = metadata.verifier === 'tests';
  if (!isOwn && metadata.imported_from !== 'swe-bench') {
    throw new CoachError(
      'input.invalid',
      `A task of ${metadata.imported_from} is judged by a script, which SWE-bench does not have.`,
      {
        hint: 'Export it with --format harbor.',
      },
    );
  }
  const text = isOwn
    ? JSON.stringify(await toSweInstance(await loadPreparedTask(directory), metadata, signal))
    : (fileOf(await originalOf(directory), rowFile)?.content.toString() ?? '');
  // A row of a pretty-printed file must become one line.
  const line = text.includes('\n') ? JSON.stringify(JSON.parse(text)) : text;
  await addLine(output, line, signal);
  return isOwn ? ['Test ids are those of this task’s own reports; SWE-bench’s log parsers need its own.'] : [];
}

async function addLine(file: string, line: string, signal: AbortSignal): Promise<void> {
  const destination = await destinationOf(file);
  if (destination.kind === 'stream') {
    throw new CoachError('input.invalid', `${file} is no file that a row could be added to.`, { hint: 'Name a file.' });
  }
  const before = destination.kind === 'new' ? '' : await readFile(destination.path, 'utf8');
  const separator = before === '' || before.endsWith('\n') ? '' : '\n';
  await writeTo(destination, `${before}${separator}${line}\n`, 0o644, signal);
}

async function requireAbsent(output: string): Promise<void> {
  if ((await lstat(output).catch(() => null)) === null) return;
  throw new CoachError('input.invalid', `${output} is there already.`, {
    hint: 'Name a directory that is not, with --output.',
  });
}
