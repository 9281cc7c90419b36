import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import type { Suite } from '../../../protocol/suites.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { readOnlyError } from '../../base/paths.ts';
import { findTask } from '../catalogue.ts';
import { requireFile } from '../createdTask.ts';
import { directoryNames, preparedDirectory, requirePlaces, suitesDirectory, taskName, toSlug } from '../places.ts';
import { newSuite, parseSuite, withTasks } from './suiteFile.ts';

const ending = '.toml';

/** All suites of a repository by name. A broken one is listed with its problem. */
export async function listSuites(root: string): Promise<Suite[]> {
  await requirePlaces(root);
  const prepared = new Set(await directoryNames(preparedDirectory(root)));
  return Promise.all((await suiteNames(root)).map(name => loadSuite(root, name, prepared)));
}

/** @throws CoachError `suite.missing` */
export async function findSuite(root: string, name: string): Promise<Suite> {
  const found = (await listSuites(root)).find(suite => suite.name === name);
  if (found !== undefined) return found;
  throw new CoachError('suite.missing', `There is no suite ${name} in ${root}.`, {
    hint: 'See: codex-coach suite list',
  });
}

interface NewSuite {
  readonly title: string;
  readonly name: string | undefined;
  readonly description: string;
  readonly tasks: readonly string[];
}

/** @throws CoachError `input.invalid` for a name that is taken or none, `task.missing`, `task.invalid` */
export async function createSuite(root: string, spec: NewSuite): Promise<Suite> {
  const name = spec.name ?? toSlug(spec.title);
  if (!taskName.test(name)) {
    throw new CoachError('input.invalid', `${JSON.stringify(name)} can't name a suite.`, {
      hint: 'Use letters, digits, dots, dashes and underscores, at most 100.',
    });
  }
  if ((await listSuites(root)).some(suite => suite.name.toLowerCase() === name.toLowerCase())) {
    throw new CoachError('input.invalid', `There is a suite ${name} already.`, {
      hint: 'Choose another name, or add the tasks to it.',
    });
  }
  const tasks = unique(await preparedNames(root, spec.tasks));
  await writeFileAtomic(fileOf(root, name), newSuite({ ...spec, tasks }));
  return findSuite(root, name);
}

/** @throws CoachError `suite.missing`, `task.missing`, `task.invalid` */
export async function addToSuite(root: string, name: string, tasks: readonly string[]): Promise<Suite> {
  const suite = await findSuite(root, name);
  const added = await preparedNames(root, tasks);
  return rewrite(root, suite, before => unique([...before, ...added]));
}

/**
 * Takes out names as the file has them, also of tasks that are gone.
 * @throws CoachError `suite.missing`, `task.missing` for one that is not in it, `task.invalid`
 */
export async function removeFromSuite(root: string, name: string, tasks: readonly string[]): Promise<Suite> {
  const suite = await findSuite(root, name);
  return rewrite(root, suite, before => {
    const absent = tasks.find(task => !before.includes(task));
    if (absent === undefined) return before.filter(task => !tasks.includes(task));
    throw new CoachError('task.missing', `The suite ${name} has no task ${absent}.`, {
      hint: `See: codex-coach suite show ${name}`,
    });
  });
}

/** @throws CoachError `suite.missing`, `disk.readOnly` */
export async function deleteSuite(root: string, name: string): Promise<void> {
  const { file } = await findSuite(root, name);
  await rm(file).catch((cause: unknown) => {
    throw readOnlyError(file, cause);
  });
}

async function rewrite(
  root: string,
  { name, file }: Suite,
  change: (tasks: readonly string[]) => readonly string[],
): Promise<Suite> {
  const text = (await requireFile(file)).toString();
  const { tasks } = parseSuite(file, text);
  const after = change(tasks);
  if (after.length !== tasks.length) await writeFileAtomic(file, withTasks(file, text, after));
  return findSuite(root, name);
}

/** Names of prepared tasks, which may be given by the ids of their created ones. */
async function preparedNames(root: string, tasks: readonly string[]): Promise<string[]> {
  const found = await Promise.all(tasks.map(task => findTask(root, task)));
  const created = found.find(({ state }) => state === 'created');
  if (created === undefined) return found.map(({ id }) => id);
  throw new CoachError('task.invalid', `${created.id} is not prepared yet, and a suite is of tasks that can be run.`, {
    hint: `Prepare it first: codex-coach task prepare ${created.id}`,
  });
}

async function loadSuite(root: string, name: string, prepared: ReadonlySet<string>): Promise<Suite> {
  const file = fileOf(root, name);
  const place = { name, repository: root, file };
  try {
    const { title, description, tasks } = parseSuite(file, (await requireFile(file)).toString());
    const missing = tasks.filter(task => !prepared.has(task));
    return { ...place, title, description, tasks: unique(tasks), missing: unique(missing), problem: null };
  } catch (error) {
    const { message } = CoachError.from(error);
    return { ...place, title: name, description: '', tasks: [], missing: [], problem: message };
  }
}

async function suiteNames(root: string): Promise<string[]> {
  const entries = await readdir(suitesDirectory(root), { withFileTypes: true }).catch(() => []);
  return entries
    .filter(entry => entry.isFile() && entry.name.endsWith(ending))
    .map(entry => entry.name.slice(0, -ending.length))
    .filter(name => taskName.test(name))
    .sort();
}

function fileOf(root: string, name: string): string {
  return join(suitesDirectory(root), `${name}${ending}`);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
