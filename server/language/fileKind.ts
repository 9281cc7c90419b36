import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { TaskMeta } from '../tasks/createdTask.ts';
import { ExpectedFile } from '../tasks/format.ts';
import { RubricFile } from '../tasks/rubric.ts';
import { TaskToml } from '../tasks/taskToml.ts';
import { HarborToml } from '../tasks/transfer/harborSchema.ts';
import type { JsonSchema } from './schema.ts';

/** Whose rules a file keeps: without ours it can't be loaded; what other programs think of it is told as a warning. */
export interface Rules {
  readonly schema: z.ZodType;
  readonly json: JsonSchema;
  readonly severity: 'error' | 'warning';
}

export interface FileKind {
  readonly language: 'toml' | 'json';
  readonly rules: readonly Rules[];
}

/** A file of a task, by its place. */
export interface TaskFile {
  readonly kind: FileKind;
  /** Of the repository, the task's directory, and the task in it. */
  readonly root: string;
  readonly directory: string;
  readonly task: string;
}

function rules(schema: z.ZodType, severity: Rules['severity']): Rules {
  return { schema, severity, json: z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as JsonSchema };
}

const kinds: Readonly<Record<string, FileKind>> = {
  'prepared/task.toml': { language: 'toml', rules: [rules(TaskToml, 'error'), rules(HarborToml, 'warning')] },
  'prepared/rubric.toml': { language: 'toml', rules: [rules(RubricFile, 'error')] },
  'prepared/tests/expected.json': { language: 'json', rules: [rules(ExpectedFile, 'error')] },
  'created/tb_meta.json': { language: 'json', rules: [rules(TaskMeta, 'error')] },
};

const place = /^(.*)\/\.coach\/tasks\/(created|prepared)\/([^/]+)\/(.+)$/;

/** Null for a document that is no file of a task. */
export function taskFileAt(uri: string): TaskFile | null {
  if (!uri.startsWith('file:')) return null;
  let path: string;
  try {
    path = fileURLToPath(uri).replaceAll(sep, '/');
  } catch {
    return null;
  }
  const [, root, state, task, rest] = place.exec(path) ?? [];
  const kind = kinds[`${state}/${rest}`];
  if (kind === undefined || root === undefined || task === undefined) return null;
  return { kind, root, task, directory: `${root}/.coach/tasks/${state}/${task}` };
}
