import { readFile } from 'node:fs/promises';
import { readableIssues } from '../../../protocol/api.ts';
import { CoachError } from '../../../protocol/errors.ts';
import type { TraceStore } from '../../traces/store.ts';
import { type RecordedOptions, recordedSource } from './recorded.ts';
import { Script, scriptedSource } from './scripted.ts';
import type { ReplaySource } from './source.ts';

const ofSession = 'session:';

/**
 * What a reference names: `session:<id>` of the trace store, or a script's file (absolute).
 * @throws CoachError `input.invalid`, `session.missing`
 */
export async function openReplaySource(
  reference: string,
  traces: TraceStore,
  options: RecordedOptions = {},
): Promise<ReplaySource> {
  if (reference.startsWith(ofSession)) return recordedSource(traces, reference.slice(ofSession.length), options);
  const unusable = (why: string, cause?: unknown) =>
    new CoachError('input.invalid', `${reference} is no recording: ${why}`, {
      cause,
      hint: 'Give a recording file, or session:<id>.',
    });
  let json: unknown;
  try {
    json = JSON.parse(await readFile(reference, 'utf8'));
  } catch (error) {
    throw unusable(error instanceof Error ? error.message : String(error), error);
  }
  const parsed = Script.safeParse(json);
  if (!parsed.success) throw unusable(readableIssues(parsed.error));
  return scriptedSource(parsed.data, options.redactor);
}
