import * as z from 'zod';
import { api, event, request } from './api.ts';
import { CoachError } from './errors.ts';

const Repository = z.string().min(1).describe('Directory inside the git repository');
const SuiteName = z.string().min(1).describe('Name of the suite');
const TaskNames = z.array(z.string().min(1)).min(1).describe('Names of prepared tasks');

/** Prepared tasks that are run together, as a file in the repository lists them. */
export const Suite = z.object({
  /** Name of the file without its ending. */
  name: z.string(),
  title: z.string(),
  description: z.string(),
  /** Root of the user's repository. */
  repository: z.string(),
  /** Absolute. */
  file: z.string(),
  /** Names of its tasks, in the order of the file. */
  tasks: z.array(z.string()),
  /** Those of `tasks` that are no prepared tasks of the repository. */
  missing: z.array(z.string()),
  /** Why the file can't be used, or null. */
  problem: z.string().nullable(),
});
export type Suite = z.infer<typeof Suite>;

export const suites = api('suites', {
  list: request({
    summary: 'Suites of a repository: prepared tasks that are run together.',
    params: z.object({ repository: Repository }),
    result: z.object({ rows: z.array(Suite) }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
  }),
  show: request({
    summary: 'One suite with the names of its tasks.',
    params: z.object({ repository: Repository, suite: SuiteName }),
    result: Suite,
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
    positional: ['suite'],
  }),
  create: request({
    summary: 'Make a suite: a small file in the repository, meant to be committed.',
    params: z.object({
      repository: Repository,
      title: z.string().trim().min(1).max(200),
      name: z.string().optional().describe('Name of the suite and its file; default: from its title'),
      description: z.string().trim().default('').describe('What the suite is for'),
      tasks: z.array(z.string().min(1)).default([]).describe('Names of prepared tasks'),
    }),
    result: Suite,
    expose: ['webview', 'http', 'mcp', 'cli'],
    positional: ['title'],
  }),
  add: request({
    summary: 'Add prepared tasks to a suite; one that is in it already stays where it is.',
    params: z.object({ repository: Repository, suite: SuiteName, tasks: TaskNames }),
    result: Suite,
    expose: ['webview', 'http', 'mcp', 'cli'],
    positional: ['suite', 'tasks'],
  }),
  remove: request({
    summary: 'Take tasks out of a suite. The tasks themselves stay.',
    params: z.object({ repository: Repository, suite: SuiteName, tasks: TaskNames }),
    result: Suite,
    expose: ['webview', 'http', 'mcp', 'cli'],
    positional: ['suite', 'tasks'],
  }),
  delete: request({
    summary: 'Delete a suite. Its tasks stay.',
    params: z.object({ repository: Repository, suite: SuiteName }),
    result: z.object({ deleted: z.string() }),
    expose: ['webview', 'http', 'cli'],
    positional: ['suite'],
  }),
  changed: event(z.object({ repository: z.string() })),
});

/**
 * The tasks that a run of a suite is of. A suite that lacks one is not run in part: its figures would be of other tasks.
 * @throws CoachError `task.invalid` for a broken file, `task.missing` naming what is not there, `input.invalid` for an empty suite
 */
export function tasksToRun({ name, tasks, missing, problem }: Suite): readonly string[] {
  if (problem !== null) throw new CoachError('task.invalid', problem, { hint: 'Mend the file of the suite.' });
  if (missing.length > 0) {
    throw new CoachError(
      'task.missing',
      `The suite ${name} names tasks that are not prepared: ${missing.join(', ')}.`,
      {
        hint: `Prepare them, or take them out: codex-coach suite remove ${name} ${missing.join(' ')}`,
      },
    );
  }
  if (tasks.length === 0) {
    throw new CoachError('input.invalid', `The suite ${name} has no task yet.`, {
      hint: `Add one: codex-coach suite add ${name} <task>`,
    });
  }
  return tasks;
}
