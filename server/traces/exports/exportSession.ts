import { setImmediate } from 'node:timers/promises';
import { CoachError } from '../../../protocol/errors.ts';
import type { ExportFormat } from '../../../protocol/sessions.ts';
import { destinationOf, writeTo } from '../../base/destination.ts';
import type { SessionReader } from '../sessions/sessionReader.ts';
import { type AtifTrajectory, toAtif } from './atif.ts';
import { toCleanSession } from './export.ts';
import { toSessionHtml } from './html/page.ts';
import { toOtlp } from './otlp/otlp.ts';
import { bodiesOf, sendSpans } from './otlp/sendSpans.ts';

export interface ExportRequest {
  readonly sessionId: string;
  readonly format: ExportFormat;
  /** Absolute path. */
  readonly output?: string | undefined;
  readonly force: boolean;
  /** A collector's URL; only for `otlp`. */
  readonly endpoint?: string | undefined;
  /** Messages in OpenTelemetry spans. */
  readonly content: boolean;
}

export interface ExportOutcome {
  /** The file or the endpoint; null when the text is in `text`. */
  readonly written: string | null;
  readonly sizeBytes: number;
  readonly text: string | null;
}

/**
 * One session in another format: to a file, to an endpoint, or as text. What is exported was redacted when it was
 * recorded or read.
 * @throws CoachError `session.missing`, `input.invalid`, `export.failed`, `disk.readOnly`
 */
export async function exportSession(
  reader: SessionReader,
  request: ExportRequest,
  signal: AbortSignal,
): Promise<ExportOutcome> {
  if (request.format !== 'otlp' && (request.endpoint !== undefined || request.content)) {
    throw new CoachError(
      'input.invalid',
      `--endpoint and --content belong to the format otlp, not ${request.format}.`,
      {
        hint: 'Add: --format otlp',
      },
    );
  }
  const { output, endpoint } = request;
  const destination = output === undefined ? null : await destinationOf(output);
  if (destination?.isTaken && !request.force) {
    throw new CoachError('input.invalid', `${output} exists already.`, { hint: 'Overwrite it with --force.' });
  }
  const sizeBytes = endpoint === undefined ? 0 : await send(endpoint, reader, request, signal);
  if (endpoint !== undefined && output === undefined) return { written: endpoint, sizeBytes, text: null };
  const text = toFormat(reader, request);
  await pause(signal);
  if (destination !== null) await writeTo(destination, text, 0o600, signal);
  return { written: output ?? null, sizeBytes: Buffer.byteLength(text), text: output === undefined ? text : null };
}

async function send(
  endpoint: string,
  reader: SessionReader,
  { sessionId, content }: ExportRequest,
  signal: AbortSignal,
): Promise<number> {
  const traces = toOtlp(reader, sessionId, content);
  await pause(signal);
  return sendSpans(endpoint, bodiesOf(traces), signal);
}

/** What was put together took a while without a pause: a cancellation meanwhile is heard only now. */
async function pause(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}

function toFormat(reader: SessionReader, { format, sessionId, content }: ExportRequest): string {
  switch (format) {
    case 'clean':
      return `${JSON.stringify(toCleanSession(reader, sessionId), null, 2)}\n`;
    case 'atif':
      return `${JSON.stringify(trajectoryOf(reader, sessionId), null, 2)}\n`;
    case 'otlp':
      return `${JSON.stringify(toOtlp(reader, sessionId, content))}\n`;
    case 'html':
      return toSessionHtml(reader, sessionId);
  }
}

/** The format needs at least one step. */
function trajectoryOf(reader: SessionReader, sessionId: string): AtifTrajectory {
  const trajectory = toAtif(reader, [sessionId]);
  if (trajectory.steps.length > 0) return trajectory;
  throw new CoachError('input.invalid', `In session ${sessionId} nothing was said, so there is no trajectory.`, {
    hint: 'Its requests and errors are in the format clean.',
  });
}
