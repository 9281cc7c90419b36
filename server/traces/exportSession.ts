import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { CoachError } from '../../protocol/errors.ts';
import type { ExportFormat } from '../../protocol/sessions.ts';
import { writeFileAtomic } from '../base/files.ts';
import { type AtifTrajectory, toAtif } from './atif.ts';
import { toCleanSession } from './export.ts';
import { toSessionHtml } from './html/page.ts';
import { toOtlp } from './otlp/otlp.ts';
import type { SessionReader } from './sessionReader.ts';

/** How long a collector may take to answer. */
const postTimeoutMs = 30_000;

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
  const { output } = request;
  if (output !== undefined && !request.force && existsSync(output)) {
    throw new CoachError('input.invalid', `${output} exists already.`, { hint: 'Overwrite it with --force.' });
  }
  const text = toFormat(reader, request);
  // That took a while without a pause: a cancellation meanwhile is heard only now.
  await setImmediate();
  signal.throwIfAborted();
  const sizeBytes = Buffer.byteLength(text);
  if (request.endpoint !== undefined) await post(request.endpoint, text, signal);
  if (output !== undefined) await writeFileAtomic(output, text, 0o600);
  const written = output ?? request.endpoint ?? null;
  return { written, sizeBytes, text: written === null ? text : null };
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

async function post(endpoint: string, body: string, signal: AbortSignal): Promise<void> {
  const failed = (why: string, cause?: unknown) =>
    new CoachError('export.failed', `${endpoint} did not take the spans: ${why}.`, {
      cause,
      hint: 'Give the whole URL of a collector for OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces',
    });
  let response: Response;
  try {
    response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      // A redirect could lead the session to another host than the user named.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(postTimeoutMs)]),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw failed(reasonOf(error), error);
  }
  const answer = await response.text().catch(() => '');
  if (!response.ok) throw failed(`it answered ${response.status}`);
  const rejected = /"rejectedSpans"\s*:\s*"?([1-9]\d*)/.exec(answer)?.[1];
  if (rejected !== undefined) throw failed(`it rejected ${rejected} of them`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
