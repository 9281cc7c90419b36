import { lstatSync, readdirSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import type { CoachPaths } from '../base/paths.ts';
import { digestOf, readConfiguration, removeWithDirectories, writeConfiguration } from './configurationFile.ts';
import { type JournalEntry, readJournal, writeJournal } from './journal.ts';
import { type Registration, registrations } from './registration.ts';
import { type SetupPlace, withoutEntry } from './setup.ts';

/** What undoing does to one file. */
export interface UndoStep {
  readonly registration: Registration;
  readonly file: string;
  readonly before: string;
  /** Null: the file was ours alone and goes. */
  readonly after: string | null;
  /** It is to the byte what it was before we registered. */
  readonly exact: boolean;
  readonly directories: readonly string[];
}

/**
 * What undoing every registration of this COACH_HOME would do: the journal's, and entries that name this COACH_HOME
 * though no journal knows them.
 */
export async function planUndo({ env, paths }: SetupPlace): Promise<UndoStep[]> {
  const journal = readJournal(paths);
  const known = journal.flatMap(entry => {
    const registration = registrations.find(({ id }) => id === entry.agent);
    return registration === undefined ? [] : [{ registration, file: entry.file, entry }];
  });
  const others = registrations
    .map(registration => ({ registration, file: registration.place(env, process.platform).file, entry: null }))
    .filter(({ file }) => !journal.some(entry => entry.file === file));
  const steps: UndoStep[] = [];
  for (const { registration, file, entry } of [...known, ...others]) {
    const before = await readConfiguration(file).catch(() => null);
    const command = before === null ? null : registration.read(before);
    if (before === null || command === null) continue;
    if (entry === null && command.env['COACH_HOME'] !== paths.home) continue;
    steps.push(undoStep(registration, file, before, entry));
  }
  return steps;
}

function undoStep(registration: Registration, file: string, before: string, entry: JournalEntry | null): UndoStep {
  const rest = withoutEntry(registration, before, entry?.insertion ?? null);
  const gone = (entry?.created ?? false) && /^(\{\s*\})?\s*$/.test(rest);
  return {
    registration,
    file,
    before,
    after: gone ? null : rest,
    exact: entry !== null && (gone || digestOf(rest) === entry.beforeSha256),
    directories: entry?.directories ?? [],
  };
}

export async function applyUndo(steps: readonly UndoStep[], { paths }: SetupPlace): Promise<void> {
  for (const { file, after, directories } of steps) {
    if (after === null) await removeWithDirectories(file, directories);
    else await writeConfiguration(file, after);
  }
  await writeJournal(paths, []);
}

/** What a COACH_HOME holds, by name: everything else in it is not ours. */
const ours =
  /^(?:ca|workspaces|cache|logs|setup\.json|launches\.json|http\.header|server[.-].*|(?:traces|coach)\.sqlite3.*)$/;

export interface PurgePlan {
  readonly remove: readonly { readonly path: string; readonly sizeBytes: number }[];
  /** Names that stay, and with them the directory. */
  readonly stay: readonly string[];
}

/** @throws CoachError `input.invalid` for a directory that no COACH_HOME should be */
export function planPurge({ env, paths }: SetupPlace): PurgePlan {
  if (resolve(paths.home) === resolve(env['HOME'] || homedir()) || resolve(paths.home, '..') === paths.home) {
    throw new CoachError('input.invalid', `COACH_HOME is ${paths.home}, which is not ours to remove.`, {
      hint: 'Remove what is Codex Coach’s in it by hand.',
    });
  }
  const names = list(paths.home);
  return {
    remove: names
      .filter(name => ours.test(name))
      .map(name => ({ path: join(paths.home, name), sizeBytes: sizeOf(join(paths.home, name)) })),
    stay: names.filter(name => !ours.test(name)),
  };
}

export async function applyPurge({ remove }: PurgePlan, paths: CoachPaths): Promise<void> {
  for (const { path } of remove) await rm(path, { recursive: true, force: true, maxRetries: 5 });
  // Stays when something in it does.
  await rmdir(paths.home).catch(() => undefined);
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch {
    return [];
  }
}

/** Bytes of a file or of all files below a directory; links count as themselves. */
function sizeOf(path: string): number {
  try {
    const found = lstatSync(path);
    if (!found.isDirectory()) return found.size;
    return readdirSync(path, { recursive: true, encoding: 'utf8' }).reduce((sum, name) => {
      const entry = lstatSync(join(path, name), { throwIfNoEntry: false });
      return sum + (entry?.isDirectory() === false ? entry.size : 0);
    }, 0);
  } catch {
    return 0;
  }
}
