import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { writeFileAtomic } from '../base/files.ts';
import type { CoachPaths } from '../base/paths.ts';

/** What one registration did to one file, enough to undo it. What others wrote there is not kept: it may hold secrets. */
const JournalEntry = z.object({
  agent: z.string(),
  file: z.string(),
  /** We made the file, and these directories above it, outermost first. */
  created: z.boolean(),
  directories: z.array(z.string()),
  /** The text that we put in, and where, in UTF-16 units; null when it was more than one insertion. */
  insertion: z.object({ offset: z.int(), inserted: z.string() }).nullable(),
  beforeSha256: z.string(),
  afterSha256: z.string(),
});
export type JournalEntry = z.infer<typeof JournalEntry>;

const Journal = z.object({ registrations: z.array(JournalEntry) });

function journalFile(paths: CoachPaths): string {
  return join(paths.home, 'setup.json');
}

/** Empty when nothing was registered from this COACH_HOME. */
export function readJournal(paths: CoachPaths): readonly JournalEntry[] {
  try {
    return Journal.parse(JSON.parse(readFileSync(journalFile(paths), 'utf8'))).registrations;
  } catch {
    return [];
  }
}

/** An empty journal is no file. */
export async function writeJournal(paths: CoachPaths, registrations: readonly JournalEntry[]): Promise<void> {
  if (registrations.length === 0) return rm(journalFile(paths), { force: true });
  await writeFileAtomic(journalFile(paths), `${JSON.stringify({ registrations }, null, 2)}\n`, 0o600);
}
