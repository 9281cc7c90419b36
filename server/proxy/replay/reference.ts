import { readFile } from 'node:fs/promises';
import { readableIssues } from '../../../protocol/api.ts';
import { CoachError } from '../../../protocol/errors.ts';
import type { CodexSessionFiles } from '../../traces/codexFiles/codexSessionFiles.ts';
import { isRecorded, sessionNamed } from '../../traces/sessions/sessionNamed.ts';
import type { TraceStore } from '../../traces/store.ts';
import { type RecordedOptions, recordedSource } from './recorded.ts';
import { Script, scriptedSource } from './scripted.ts';
import type { ReplaySource } from './source.ts';

const ofSession = 'session:';

export interface ReferenceOptions extends RecordedOptions {
  /** Sessions that may be meant, although they can't be replayed. */
  readonly files?: Pick<CodexSessionFiles, 'list'>;
}

/**
 * What a reference names: `session:<id>` of the trace store, the id whole or shortened, or a script's file (absolute).
 * @throws CoachError `input.invalid`, `session.missing`
 */
export async function openReplaySource(
  reference: string,
  traces: TraceStore,
  options: ReferenceOptions = {},
): Promise<ReplaySource> {
  if (reference.startsWith(ofSession)) {
    const sessionId = await recordedSession(reference.slice(ofSession.length), traces, options.files);
    return recordedSource(traces, sessionId, options);
  }
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

async function recordedSession(given: string, traces: TraceStore, files?: ReferenceOptions['files']): Promise<string> {
  const id = await sessionNamed(given, traces, files);
  if (isRecorded(traces, id) || !(await files?.list())?.some(file => file.id === id)) return id;
  throw new CoachError('input.invalid', `Session ${id} is a file of Codex’s own, and was never on our wire.`, {
    hint: 'Only what was recorded can be replayed. To record Codex, start it with: codex-coach',
  });
}
