import { lstatSync, readdirSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import type { HeldLock } from '../base/lock.ts';
import type { CoachPaths } from '../base/paths.ts';
import { userHome } from '../base/userHome.ts';
import { digestOf, readConfiguration, removeWithDirectories, writeConfiguration } from './configurationFile.ts';
import { type JournalEntry, readJournal, writeJournal } from './journal.ts';
import { type Registration, registrations, serverName } from './registration.ts';
import { type SetupPlace, withoutEntry } from './setup.ts';
import { closeOthers } from './stopServer.ts';

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

export interface UndoPlan {
  readonly steps: readonly UndoStep[];
  /** Files that keep our entry, as they can't be edited now, and why. */
  readonly left: readonly { readonly entry: JournalEntry | null; readonly title: string; readonly reason: string }[];
}

/**
 * What undoing every registration of this COACH_HOME would do: the journal's, and entries that name this COACH_HOME
 * though no journal knows them. An entry that another COACH_HOME has put there since is that one's.
 */
export async function planUndo({ env, paths }: SetupPlace): Promise<UndoPlan> {
  const journal = readJournal(paths);
  const known = journal.flatMap(entry => {
    const registration = registrations.find(({ id }) => id === entry.agent);
    return registration === undefined ? [] : [{ registration, file: entry.file, entry }];
  });
  const others = registrations
    .map(registration => ({ registration, file: registration.place(env, process.platform).file, entry: null }))
    .filter(({ file }) => !journal.some(entry => entry.file === file));
  const steps: UndoStep[] = [];
  const left: UndoPlan['left'][number][] = [];
  for (const { registration, file, entry } of [...known, ...others]) {
    let ours = entry !== null;
    try {
      const before = await readConfiguration(file);
      if (before === null || !isOurs(registration, before, entry, paths)) continue;
      ours = true;
      steps.push(undoStep(registration, file, before, entry));
    } catch (error) {
      const { message } = CoachError.from(error);
      const reason = message.startsWith(file) ? message : `${file} is left alone: ${message}.`;
      if (ours) left.push({ entry, title: registration.title, reason });
    }
  }
  return { steps, left };
}

/** @throws CoachError `input.invalid` when it can't be told */
function isOurs(registration: Registration, text: string, entry: JournalEntry | null, { home }: CoachPaths): boolean {
  if (!text.includes(serverName)) return false;
  registration.besides(text);
  const command = registration.read(text);
  return command !== null && (command.env['COACH_HOME'] ?? (entry === null ? null : home)) === home;
}

function undoStep(registration: Registration, file: string, before: string, entry: JournalEntry | null): UndoStep {
  const rest = withoutEntry(registration, before, entry ?? undefined);
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

export async function applyUndo({ steps, left }: UndoPlan, { paths }: SetupPlace): Promise<void> {
  for (const { file, after, directories } of steps) {
    if (after === null) await removeWithDirectories(file, directories);
    else await writeConfiguration(file, after);
  }
  const kept = left.flatMap(({ entry }) => (entry === null ? [] : [entry]));
  await writeJournal(paths, kept);
}

/** What a COACH_HOME holds, by name: everything else in it is not ours. A kill leaves files that were half written. */
const ourNames =
  /^(?:ca|workspaces|cache|launched|logs|(?:setup|launches)\.json(?:\.[0-9a-f]{8}\.tmp)?|http\.header|server[.-].*|(?:traces|coach)\.sqlite3.*)$/;

export interface PurgePlan {
  readonly remove: readonly { readonly path: string; readonly sizeBytes: number }[];
  /** Names that stay, and with them the directory. */
  readonly stay: readonly string[];
}

/** @throws CoachError `input.invalid` for a directory that no COACH_HOME should be */
export function planPurge({ env, paths }: SetupPlace): PurgePlan {
  if (resolve(paths.home) === resolve(userHome(env)) || resolve(paths.home, '..') === paths.home) {
    throw new CoachError('input.invalid', `COACH_HOME is ${paths.home}, which is not ours to remove.`, {
      hint: 'Remove what is Codex Coach’s in it by hand.',
    });
  }
  const names = list(paths.home);
  return {
    remove: names
      .filter(name => ourNames.test(name))
      .map(name => ({ path: join(paths.home, name), sizeBytes: sizeOf(join(paths.home, name)) })),
    stay: names.filter(name => !ourNames.test(name)),
  };
}

/**
 * Removes what was planned; the lock of the server goes last. Directories stay when something in them does.
 * @throws CoachError `server.unreachable` when a server that was started meanwhile has made things anew
 */
export async function applyPurge({ remove }: PurgePlan, place: SetupPlace, lock: HeldLock | null): Promise<void> {
  const { home, lockFile, socket } = place.paths;
  for (const { path } of remove) {
    if (path !== lockFile) await rm(path, { recursive: true, force: true, maxRetries: 5 });
  }
  lock?.release();
  await rm(lockFile, { force: true });
  await rmdir(home).catch(() => undefined);
  if (process.platform !== 'win32' && dirname(socket) !== home) {
    await rm(socket, { force: true });
    await rmdir(dirname(socket)).catch(() => undefined);
  }
  if (planPurge(place).remove.length === 0) return;
  throw new CoachError('server.unreachable', `A background server was started meanwhile: ${home} is there again.`, {
    hint: closeOthers,
  });
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
