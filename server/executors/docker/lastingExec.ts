import type Docker from 'dockerode';
import { CoachError } from '../../../protocol/errors.ts';
import type { LastingCommand, SandboxCommand, SandboxOutcome } from '../executor.ts';
import { insideNode, insideShim, keptOutput } from '../places.ts';
import { execIn } from './execIn.ts';

/**
 * Runs a command that may outlive this server, or goes on with one. The engine drops what a command prints once nobody is
 * attached to it, so the shim keeps output and exit code in files of the container; what comes is read from those. The
 * shim starts the command only if it can make the directory of these files, so however often a start is asked for, there
 * is one.
 * @throws CoachError `sandbox.failed` when nobody can tell how it ended
 */
export async function execLasting(
  container: Docker.Container,
  command: Omit<SandboxCommand, 'lasting'>,
  { hasStarted, stdoutFrom, stderrFrom, onStarted }: LastingCommand,
  signal: AbortSignal,
): Promise<SandboxOutcome> {
  const shim = (...args: string[]): [string, ...string[]] => [insideNode, insideShim, ...args];
  const { argv, cwd, env, stdin = '', ...output } = command;
  if (!hasStarted) {
    const sizeBytes = Buffer.byteLength(stdin);
    const start = shim('--keep', keptOutput, String(sizeBytes), '--', ...argv);
    await startKept(container, { argv: start, cwd, env, stdin }, signal);
    onStarted();
  }
  const place = { cwd: '/', env: {} };
  const follow = shim('--follow', keptOutput, String(stdoutFrom), String(stderrFrom));
  const followed = await execIn(container, { argv: follow, ...place, ...output }, signal);
  const { stdout } = await execIn(container, { argv: ['cat', `${keptOutput}/exit`], ...place }, signal);
  const exitCode = /^\d+$/.test(stdout.toString()) ? Number(stdout.toString()) : null;
  if (exitCode !== null) return { ...followed, exitCode };
  throw new CoachError('sandbox.failed', `Nobody can tell how the agent ended: ${followed.stderr.toString().trim()}`, {
    hint: 'It may have ended the processes around it, or run out of memory.',
  });
}

/** Resolves once the shim says that the command runs; that process then goes on without us. */
async function startKept(container: Docker.Container, command: SandboxCommand, signal: AbortSignal): Promise<void> {
  const started = new AbortController();
  let text = '';
  const hear = (chunk: Buffer) => {
    text += chunk.toString();
    if (text.includes('started\n')) started.abort();
  };
  const run = execIn(container, { ...command, onStdout: hear, onStderr: hear }, signal, started.signal);
  await run;
  if (started.signal.aborted) return;
  throw new CoachError('sandbox.failed', `The agent could not be started: ${text.trim() || 'no answer'}`);
}
