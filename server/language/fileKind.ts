import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { TaskMeta } from '../tasks/createdTask.ts';
import { ExpectedFile } from '../tasks/format.ts';
import { RubricFile } from '../tasks/rubric.ts';
import { SuiteFile } from '../tasks/suites/suiteFile.ts';
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

/** A file of a task or a suite, by its place. */
export interface TaskFile {
  readonly kind: FileKind;
  /** Of the repository. */
  readonly root: string;
  /** Where it lies with what it links to. */
  readonly directory: string;
  readonly of: { readonly kind: 'task' | 'suite'; readonly name: string };
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

const suite: FileKind = { language: 'toml', rules: [rules(SuiteFile, 'error')] };

const suitePlace = /^(.*)\/(\.coach\/suites)\/([^/]+)\.toml$/;
const place = /^(.*)\/\.coach\/tasks\/(created|prepared)\/([^/]+)\/(.+)$/;

/** Null for a document that is no file of a task or a suite. */
export function taskFileAt(uri: string): TaskFile | null {
  if (!uri.startsWith('file:')) return null;
  let path: string;
  try {
    path = fileURLToPath(uri).replaceAll(sep, '/');
  } catch {
    return null;
  }
  const inSuites = suitePlace.exec(path);
  if (inSuites !== null) {
    const [, root = '', directory = '', name = ''] = inSuites;
    return { kind: suite, root, directory: `${root}/${directory}`, of: { kind: 'suite', name } };
  }
  const [, root, state, task, rest] = place.exec(path) ?? [];
  const kind = kinds[`${state}/${rest}`];
  if (kind === undefined || root === undefined || task === undefined) return null;
  return { kind, root, directory: `${root}/.coach/tasks/${state}/${task}`, of: { kind: 'task', name: task } };
}
