import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { readableIssues } from '../../../protocol/api.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { dialectNamed } from '../../traces/dialects/index.ts';
import { parseJson } from '../../traces/json.ts';
import type { TraceStore } from '../../traces/store.ts';

/** Name of the answers in a trial's `verifier/`. */
export const answersFile = 'judge.json';

/** What a judge answered about one trial, as it is kept and replayed. */
export const JudgeRecording = z.object({
  format: z.literal(1),
  /** Who answered. */
  judge: z.string(),
  answers: z.array(
    z.object({
      /** `key` of the question: it changes with anything that the judge is shown. */
      key: z.string(),
      criterion: z.string(),
      /** From 1. */
      vote: z.int().min(1),
      text: z.string(),
    }),
  ),
});
export type JudgeRecording = z.infer<typeof JudgeRecording>;
export type RecordedAnswer = JudgeRecording['answers'][number];

/** What was asked and answered in a recorded session, as text. */
export interface RecordedExchange {
  readonly asked: string;
  readonly answered: string;
}

const ofSession = 'session:';

/**
 * Recorded answers by the keys of their questions: of a trial's `judge.json`, of all that lie below a directory such as a
 * run's, or of a judge's session in the trace store.
 * @throws CoachError `input.invalid`, `session.missing`
 */
export async function loadAnswers(
  place: string,
  exchangesOf: (sessionId: string) => Iterable<RecordedExchange>,
): Promise<ReadonlyMap<string, string>> {
  if (place.startsWith(ofSession)) return fromExchanges(exchangesOf(place.slice(ofSession.length)));
  const files = await recordingsAt(place);
  const answers = new Map<string, string>();
  for (const file of files) {
    const parsed = JudgeRecording.safeParse(parseJson(await readFile(file, 'utf8')));
    if (!parsed.success) throw noRecording(file, readableIssues(parsed.error));
    for (const { key, text } of parsed.data.answers) answers.set(key, text);
  }
  return answers;
}

/** What was asked and answered in a session of the trace store. @throws CoachError `session.missing` */
export function* saidIn(traces: TraceStore, sessionId: string): Generator<RecordedExchange> {
  traces.requireSession(sessionId);
  for (const { exchange, request, response } of traces.wholeExchanges(sessionId)) {
    const dialect = dialectNamed(exchange.dialect);
    if (dialect === null || response === null) continue;
    const answered = dialect.answered(response).filter(({ kind }) => kind === 'assistant');
    const text = (said: readonly { readonly text: string }[]) => said.map(({ text }) => text).join('\n');
    yield { asked: text(dialect.asked(request)), answered: text(answered) };
  }
}

/** A question is known by its boundary. */
function fromExchanges(exchanges: Iterable<RecordedExchange>): Map<string, string> {
  const answers = new Map<string, string>();
  for (const { asked, answered } of exchanges) {
    const key = /^BEGIN TASK ([0-9a-f]{32})$/m.exec(asked)?.[1];
    if (key !== undefined) answers.set(key, answered);
  }
  return answers;
}

async function recordingsAt(place: string): Promise<string[]> {
  const entries = await readdir(place, { withFileTypes: true, recursive: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return null;
    throw noRecording(place, error instanceof Error ? error.message : String(error));
  });
  if (entries === null) return [place];
  const found = entries.filter(entry => entry.isFile() && entry.name === answersFile);
  if (found.length === 0) throw noRecording(place, `no ${answersFile} lies in it`);
  return found.map(entry => join(entry.parentPath, entry.name)).sort();
}

function noRecording(place: string, why: string): CoachError {
  return new CoachError('input.invalid', `${place} is no recording of a judge: ${why}.`, {
    hint: `Give verifier/${answersFile} of a trial, the directory of a run, or session:<id>.`,
  });
}

/** What was judged is not what was recorded. @returns `replay.mismatch`, which is never tried again */
export function missedAnswer(criterion: string, vote: number): CoachError {
  return new CoachError(
    'replay.mismatch',
    `The recorded answers of the judge have none to vote ${vote} on ${criterion}: the change, the task or the criterion is another.`,
    { hint: 'Judge it with a model: --judge <provider>/<model>.' },
  );
}
