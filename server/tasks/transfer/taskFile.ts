import type * as z from 'zod';
import { readableIssues } from '../../../protocol/api.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { fileOf, type TreeNode } from './directoryTree.ts';

/** The file that describes a task of another program. */
interface TaskFile<S extends z.ZodType> {
  readonly name: string;
  readonly language: string;
  parse(text: string): unknown;
  readonly schema: S;
  /** What it must be, for whoever gave another. */
  readonly hint: string;
}

/** @param path of the task, for messages. @throws CoachError `input.invalid` when it is missing or not what it must be */
export function readTaskFile<S extends z.ZodType>(
  nodes: readonly TreeNode[],
  path: string,
  { name, language, parse, schema, hint }: TaskFile<S>,
): z.output<S> {
  const place = `${path}/${name}`;
  const file = fileOf(nodes, name);
  if (file === null) throw cannotImport(place, 'it is missing', hint);
  let content: unknown;
  try {
    content = parse(file.content.toString());
  } catch (cause) {
    throw cannotImport(place, `it is not ${language} (${(cause as Error).message.split('\n')[0]})`, hint, cause);
  }
  const parsed = schema.safeParse(content);
  if (!parsed.success) throw cannotImport(place, readableIssues(parsed.error), hint);
  return parsed.data;
}

/** `place`: the file, row or entry that is at fault. */
export function cannotImport(place: string, why: string, hint: string, cause?: unknown): CoachError {
  return new CoachError('input.invalid', `${place} can't be imported: ${why}.`, { cause, hint });
}
