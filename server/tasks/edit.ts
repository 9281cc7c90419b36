import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type ParseError, parse as parseJson } from 'jsonc-parser';
import { TomlError } from 'smol-toml';
import { CoachError } from '../../protocol/errors.ts';
import type { TaskPart, TaskSummary } from '../../protocol/tasks.ts';
import { writeFileAtomic } from '../base/files.ts';
import { loadCreatedTask, parseTaskMeta } from './createdTask.ts';
import { loadCoachMetadata, parseTaskToml } from './format.ts';
import { instructionNotes, leakedLines, leakSentence } from './instruction.ts';

/** What a person may change of a task, as it stands. */
export interface Editable {
  /** What it is written to. */
  readonly file: string;
  readonly content: string;
}

/** The present text of a part. @throws CoachError `task.missing`, `task.invalid` */
export async function editable(task: TaskSummary, part: TaskPart): Promise<Editable> {
  if (task.state !== 'created') {
    const file = join(task.directory, part === 'instruction' ? 'instruction.md' : 'task.toml');
    return { file, content: await readFile(file, 'utf8') };
  }
  const file = join(task.directory, 'tb_meta.json');
  if (part === 'settings') return { file, content: await readFile(file, 'utf8') };
  return { file, content: `${(await loadCreatedTask(task.directory)).meta.lm.instructions}\n` };
}

/**
 * Replaces a part, whole or not at all. A new text that would break the task is refused and the old one stays.
 * @returns what to look at before the task is run, one sentence each
 * @throws CoachError `input.invalid` with line and reason
 */
export async function edit(task: TaskSummary, part: TaskPart, content: string): Promise<string[]> {
  if (part === 'settings') return editSettings(task, content);
  const instruction = content.trim();
  if (instruction === '') throw refused('instruction.md', 'an instruction can’t be empty');
  const { file } = await editable(task, part);
  if (task.state === 'created') {
    const { meta } = await loadCreatedTask(task.directory);
    const changed = { ...meta, lm: { ...meta.lm, instructions: instruction } };
    await writeFileAtomic(file, `${JSON.stringify(changed, null, 2)}\n`);
  } else await writeFileAtomic(file, `${instruction}\n`);
  return notesOn(task, instruction);
}

/** What says where a task comes from: another value there would make it a lie. */
const origins = ['task_id', 'session_id', 'start_commit', 'captured_at', 'files', 'verifier', 'imported_from'] as const;

async function editSettings(task: TaskSummary, content: string): Promise<string[]> {
  const { file } = await editable(task, 'settings');
  try {
    if (task.state === 'created') {
      if (parseTaskMeta(file, content).task_id !== task.id) throw refused(file, 'task_id can’t be changed');
    } else {
      const before: Readonly<Record<string, unknown>> = await loadCoachMetadata(task.directory);
      const after: Readonly<Record<string, unknown>> = parseTaskToml(file, content).metadata.codex_coach;
      const changed = origins.find(key => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
      if (changed !== undefined) throw refused(file, `${changed} can’t be changed${atLine(content, changed)}`);
    }
  } catch (error) {
    throw located(error, file, content);
  }
  await writeFileAtomic(file, content);
  return [];
}

async function notesOn(task: TaskSummary, instruction: string): Promise<string[]> {
  const patchFile = task.state === 'created' ? 'diff.patch' : join('solution', 'solution.patch');
  const patch = await readFile(join(task.directory, patchFile), 'utf8').catch(() => '');
  const kind = task.state === 'created' ? 'code' : kindIn(await loadCoachMetadata(task.directory));
  const leaked = leakedLines(instruction, patch, kind);
  return [...instructionNotes(instruction), ...(leaked.length === 0 ? [] : [`${leakSentence(leaked)}.`])];
}

function kindIn(metadata: Awaited<ReturnType<typeof loadCoachMetadata>>) {
  return metadata.verifier === 'script' ? 'code' : metadata.kind;
}

/** A fault of the new text, with its line where one can be told. */
function located(error: unknown, file: string, content: string): CoachError {
  const { code, message } = CoachError.from(error);
  if (code === 'input.invalid') return CoachError.from(error);
  if (code !== 'task.invalid') throw error;
  const reason = message.replace(`${file} can't be used: `, '').replace(/\.$/, '').replaceAll(/\s+/g, ' ');
  const line = syntaxFaultLine((error as CoachError).cause, file, content);
  if (line !== null) return refused(file, `${reason} (line ${line})`);
  const field = /^([\w.-]+): /.exec(reason)?.[1]?.split('.').at(-1);
  return refused(file, `${reason}${field === undefined ? '' : atLine(content, field)}`);
}

/** 1-based; null for a text that only says something wrong. */
function syntaxFaultLine(cause: unknown, file: string, content: string): number | null {
  if (cause instanceof TomlError) return cause.line;
  if (!file.endsWith('.json')) return null;
  const errors: ParseError[] = [];
  parseJson(content, errors);
  const [first] = errors;
  return first === undefined ? null : content.slice(0, first.offset).split('\n').length;
}

function atLine(content: string, key: string): string {
  const line = content.split('\n').findIndex(text => new RegExp(`^\\s*"?${key}"?\\s*[:=]`).test(text));
  return line < 0 ? '' : ` (line ${line + 1})`;
}

function refused(file: string, reason: string): CoachError {
  return new CoachError('input.invalid', `${basename(file)} stays as it was: ${reason}.`, {
    hint: 'Mend that and try again.',
  });
}
