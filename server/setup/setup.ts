import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { CoachError } from '../../protocol/errors.ts';
import { type CoachPaths, ensureHome } from '../base/paths.ts';
import { programOnPath } from '../base/programs.ts';
import { digestOf, makeDirectories, readConfiguration, writeConfiguration } from './configurationFile.ts';
import { insertionOf, withoutInsertion } from './insertion.ts';
import { type JournalEntry, readJournal, writeJournal } from './journal.ts';
import type { McpCommand } from './mcpCommand.ts';
import { type Registration, registrations, serverName } from './registration.ts';

/** What is to be done to one agent's file. */
export interface SetupStep {
  readonly registration: Registration;
  readonly file: string;
  readonly action: 'add' | 'update' | 'keep';
  /** Null: the file does not exist. */
  readonly before: string | null;
  readonly after: string;
  /** The text without an older entry of ours. */
  readonly base: string | null;
}

export interface SetupPlace {
  readonly env: NodeJS.ProcessEnv;
  readonly paths: CoachPaths;
}

/**
 * Plans registering our MCP server with the agents asked for, or with those that this machine shows signs of. Writes
 * nothing.
 * @throws CoachError `agent.unknown`, `input.invalid` naming the file that can't be edited
 */
export async function planSetup(
  agents: readonly string[] | null,
  command: McpCommand,
  { env, paths }: SetupPlace,
): Promise<SetupStep[]> {
  const journal = readJournal(paths);
  const chosen = agents === null ? registrations.filter(candidate => isPresent(candidate, env)) : agents.map(find);
  return Promise.all(
    chosen.map(async registration => {
      const { file } = registration.place(env, process.platform);
      const before = await readConfiguration(file);
      const known = before === null ? null : registration.read(before);
      if (before !== null && isDeepStrictEqual(known, command)) {
        return { registration, file, action: 'keep' as const, before, after: before, base: before };
      }
      try {
        const base =
          before === null || known === null ? before : withoutEntry(registration, before, entryOf(journal, file));
        const after = registration.add(base ?? '', command);
        return {
          registration,
          file,
          action: known === null ? ('add' as const) : ('update' as const),
          before,
          after,
          base,
        };
      } catch (error) {
        const { message, hint } = CoachError.from(error);
        throw new CoachError('input.invalid', `${file} is left alone: ${message}.`, {
          cause: error,
          hint: hint ?? `Mend the file, or leave ${registration.title} out with --agent.`,
        });
      }
    }),
  );
}

/** Does what was planned, and keeps a journal of it in COACH_HOME for `undoSetup`. */
export async function applySetup(steps: readonly SetupStep[], { paths }: SetupPlace): Promise<void> {
  ensureHome(paths);
  for (const step of steps) {
    if (step.action === 'keep') continue;
    const journal = readJournal(paths);
    const earlier = entryOf(journal, step.file);
    const directories = await makeDirectories(step.file);
    const created = step.before === null;
    const entry: JournalEntry = {
      agent: step.registration.id,
      file: step.file,
      created: created || (earlier?.created ?? false),
      directories: created ? directories : [...(earlier?.directories ?? [])],
      insertion: insertionOf(step.base ?? '', step.after),
      beforeSha256: digestOf(step.base ?? ''),
      afterSha256: digestOf(step.after),
    };
    // First the journal: an entry that was not written after all does no harm when it is undone.
    await writeJournal(paths, [...journal.filter(({ file }) => file !== step.file), entry]);
    await writeConfiguration(step.file, step.after);
  }
}

/** Whether the machine shows signs that this agent is used. */
export function isPresent(registration: Registration, env: NodeJS.ProcessEnv): boolean {
  const { program } = registration;
  if (program !== null && programOnPath(program, env) !== null) return true;
  return registration.place(env, process.platform).signs.some(existsSync);
}

/**
 * The text without our entry: to the byte as it was before where the entry stands as we wrote it. It says all else that it
 * says now.
 * @throws CoachError `input.invalid` when it can't be read, or our entry can't be taken out of it
 */
export function withoutEntry(registration: Registration, text: string, entry: JournalEntry | undefined): string {
  const others = registration.besides(text);
  const exact = entry?.insertion ? withoutInsertion(text, entry.insertion) : null;
  for (const rest of [exact, registration.remove(text)]) {
    if (rest !== null && saysOnly(registration, rest, others)) return rest;
  }
  throw new CoachError('input.invalid', `our entry ${serverName} can't be taken out without touching others`);
}

/** Others may have written around our entry so that cutting it out leaves a stray comma, or takes theirs along. */
function saysOnly(registration: Registration, text: string, others: object): boolean {
  try {
    return registration.read(text) === null && isDeepStrictEqual(registration.besides(text), others);
  } catch {
    return false;
  }
}

export function entryOf(journal: readonly JournalEntry[], file: string): JournalEntry | undefined {
  return journal.find(entry => entry.file === file);
}

function find(id: string): Registration {
  const found = registrations.find(candidate => candidate.id === id);
  if (found !== undefined) return found;
  throw new CoachError('agent.unknown', `No agent ${id} to register with.`, {
    hint: `Known: ${registrations.map(candidate => candidate.id).join(', ')}.`,
  });
}
