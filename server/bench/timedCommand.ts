import { CoachError } from '../../protocol/errors.ts';
import { type FirstBytes, firstBytes } from '../base/firstBytes.ts';
import type { Sandbox, SandboxCommand } from '../executors/executor.ts';
import { afterFirstLine } from '../executors/firstLine.ts';
import { OutputPace } from './trials/agentOutput.ts';

/** What is kept of a command's output. */
const maxOutputBytes = 8 * 1024 * 1024;

export interface TimedCommand {
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutSec: number;
}

export interface TimedOutcome {
  /** Standard output and error, as they came. */
  readonly output: Buffer;
  /** Null when a signal ended it, its time was up, or it took too much of the disk. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
}

/** Runs a shell command in a sandbox and ends it when its time is up; the sandbox is of no further use then. */
export function runTimed(
  sandbox: Sandbox,
  { command, cwd, env, timeoutSec }: TimedCommand,
  signal: AbortSignal,
): Promise<TimedOutcome> {
  return timed(sandbox, { argv: ['sh', '-c', command], cwd, env }, timeoutSec, null, signal);
}

/**
 * The same for a script that prepares what it does: its time begins with the line by which it says that it is ready. What
 * comes after that line is no output of the command, but what the script says of it.
 * @throws CoachError `sandbox.failed` with what it said instead
 */
export async function runPrepared(
  sandbox: Sandbox,
  script: SandboxCommand,
  { readyLine, timeoutSec, maxRestBytes }: PreparedCommand,
  signal: AbortSignal,
): Promise<TimedOutcome & { readonly rest: Buffer }> {
  const rest = firstBytes(maxRestBytes);
  let isReady = false;
  const ready = {
    line: readyLine,
    onReady() {
      isReady = true;
    },
    rest,
  };
  const outcome = await timed(sandbox, script, timeoutSec, ready, signal);
  if (isReady) return { ...outcome, rest: rest.content() };
  throw new CoachError('sandbox.failed', outcome.output.toString().trim() || `exit code ${outcome.exitCode}`);
}

interface PreparedCommand {
  readonly readyLine: string;
  readonly timeoutSec: number;
  /** What is kept of `rest`, to within a chunk. */
  readonly maxRestBytes: number;
}

interface Ready {
  readonly line: string;
  onReady(): void;
  readonly rest: FirstBytes;
}

async function timed(
  sandbox: Sandbox,
  command: SandboxCommand,
  timeoutSec: number,
  ready: Ready | null,
  signal: AbortSignal,
): Promise<TimedOutcome> {
  const output = firstBytes(maxOutputBytes);
  const pace = new OutputPace();
  const paced = (kept: FirstBytes) => (chunk: Buffer) => {
    kept.take(chunk);
    return pace.charge(chunk.length);
  };
  const keep = paced(output);
  const time = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer = setTimeout(() => time.abort(new Error('time is up')), timeoutSec * 1000);
    ready?.onReady();
  };
  const onStdout = ready === null ? keep : afterFirstLine(ready.line, begin, paced(ready.rest));
  if (ready === null) begin();
  const ended = (exitCode: number | null, timedOut: boolean) => ({
    output: output.content(),
    ...{ exitCode, timedOut },
  });
  try {
    const either = AbortSignal.any([signal, time.signal]);
    const { exitCode } = await sandbox.exec({ ...command, onStdout, onStderr: keep, maxBytes: 0 }, either);
    return ended(exitCode, false);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CoachError && error.code === 'sandbox.diskSpent') {
      keep(Buffer.from(`\n${error.message}\n`));
      return ended(null, false);
    }
    if (!time.signal.aborted) throw error;
    return ended(null, true);
  } finally {
    clearTimeout(timer);
  }
}
