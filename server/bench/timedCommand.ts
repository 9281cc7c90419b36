import { CoachError } from '../../protocol/errors.ts';
import type { Sandbox } from '../executors/executor.ts';
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
export async function runTimed(
  sandbox: Sandbox,
  { command, cwd, env, timeoutSec }: TimedCommand,
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
  const time = AbortSignal.timeout(timeoutSec * 1000);
  try {
    const { exitCode } = await sandbox.exec(
      { argv: ['sh', '-c', command], cwd, env, onStdout: keep, onStderr: keep, maxBytes: 0 },
      AbortSignal.any([signal, time]),
    );
    return { output: Buffer.concat(output), exitCode, timedOut: false };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CoachError && error.code === 'sandbox.diskSpent') {
      return {
        output: Buffer.concat([...output, Buffer.from(`\n${error.message}\n`)]),
        exitCode: null,
        timedOut: false,
      };
    }
    if (!time.aborted) throw error;
    return { output: Buffer.concat(output), exitCode: null, timedOut: true };
  }
}
