import { CoachError } from '../../protocol/errors.ts';
import type { Sandbox, SandboxCommand } from '../executors/executor.ts';
import { afterFirstLine } from '../executors/firstLine.ts';
import { OutputPace } from './agentOutput.ts';

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
 * The same for a script that prepares what it does: its time begins, and what it prints is kept, with the line by which it
 * says that it is ready.
 * @throws CoachError `sandbox.failed` with what it said instead
 */
export async function runPrepared(
  sandbox: Sandbox,
  script: SandboxCommand,
  { readyLine, timeoutSec }: { readonly readyLine: string; readonly timeoutSec: number },
  signal: AbortSignal,
): Promise<TimedOutcome> {
  let isReady = false;
  const onReady = () => {
    isReady = true;
  };
  const outcome = await timed(sandbox, script, timeoutSec, { line: readyLine, onReady }, signal);
  if (isReady) return outcome;
  throw new CoachError('sandbox.failed', outcome.output.toString().trim() || `exit code ${outcome.exitCode}`);
}

async function timed(
  sandbox: Sandbox,
  command: SandboxCommand,
  timeoutSec: number,
  ready: { readonly line: string; onReady(): void } | null,
  signal: AbortSignal,
): Promise<TimedOutcome> {
  const output: Buffer[] = [];
  let sizeBytes = 0;
  const pace = new OutputPace();
  const keep = (chunk: Buffer) => {
    if (sizeBytes < maxOutputBytes) output.push(chunk);
    sizeBytes += chunk.length;
    return pace.charge(chunk.length);
  };
  const time = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer = setTimeout(() => time.abort(new Error('time is up')), timeoutSec * 1000);
    ready?.onReady();
  };
  const onStdout = ready === null ? keep : afterFirstLine(ready.line, begin, keep);
  if (ready === null) begin();
  const ended = (exitCode: number | null, timedOut: boolean) => ({
    output: Buffer.concat(output),
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
