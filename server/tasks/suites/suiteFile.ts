import { isDeepStrictEqual } from 'node:util';
import { parse as parseToml, stringify as stringifyToml } from 'smol-toml';
import * as z from 'zod';
import { broken, parseFile } from '../createdTask.ts';

/** `.coach/suites/<name>.toml`. Keys that are not ours stay in the file and say nothing. */
export const SuiteFile = z.looseObject({
  title: z.string().min(1).describe('What the suite is called in lists.'),
  description: z.string().default('').describe('What the suite is for.'),
  tasks: z
    .array(z.string().min(1).meta({ names: 'task' }))
    .default([])
    .describe('Names of the prepared tasks that are run together, in this order.'),
});
export type SuiteFile = z.infer<typeof SuiteFile>;

/** @throws CoachError `task.invalid` naming file and field */
export function parseSuite(file: string, text: string): SuiteFile {
  return parseFile(SuiteFile, file, contentOf(file, text));
}

export function newSuite({ title, description, tasks }: Pick<SuiteFile, 'title' | 'description' | 'tasks'>): string {
  const told = description === '' ? {} : { description };
  return `# Tasks that are run together: codex-coach run --suite <name of this file>\n${stringifyToml({ title, ...told })}${tasksLine(tasks)}\n`;
}

/** The statement with a list, in which strings and comments may hold brackets. It may also stand in a string or a table. */
const statement = /^tasks[ \t]*=[ \t]*\[(?:[^\]"'#]|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#[^\n]*)*\]/gm;

/**
 * The text of a suite with other tasks. What stands outside of the list keeps its every byte; comments inside of it are lost.
 * @throws CoachError `task.invalid`
 */
export function withTasks(file: string, text: string, tasks: readonly string[]): string {
  const wanted = { ...contentOf(file, text), tasks: [...tasks] };
  const line = tasksLine(tasks);
  const candidates = [
    ...[...text.matchAll(statement)].map(
      ({ 0: found, index }) => `${text.slice(0, index)}${line}${text.slice(index + found.length)}`,
    ),
    `${line}\n${text}`,
  ];
  // A list that is spelled in yet another way costs the file its comments, never what it says.
  return candidates.find(candidate => says(candidate, wanted)) ?? stringifyToml(wanted);
}

function tasksLine(tasks: readonly string[]): string {
  if (tasks.length === 0) return 'tasks = []';
  return `tasks = [\n${tasks.map(task => `  ${JSON.stringify(task)},\n`).join('')}]`;
}

function says(text: string, wanted: Readonly<Record<string, unknown>>): boolean {
  try {
    // Cloned, because tables of smol-toml have no prototype.
    return isDeepStrictEqual(structuredClone(parseToml(text)), structuredClone(wanted));
  } catch {
    return false;
  }
}

function contentOf(file: string, text: string): Record<string, unknown> {
  try {
    return parseToml(text);
  } catch (cause) {
    throw broken(file, `it is not TOML (${(cause as Error).message.split('\n')[0]})`, cause);
  }
}
