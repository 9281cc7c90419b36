import type Docker from 'dockerode';
import { CoachError } from '../../../protocol/errors.ts';
import type { LastingCommand, SandboxCommand, SandboxOutcome } from '../executor.ts';
import { afterFirstLine } from '../firstLine.ts';
import { insideNode, insideShim, keptOutput } from '../places.ts';
import { execIn } from './execIn.ts';

/** What the shim says first, once the command runs. */
const startedLine = 'started';

/**
 * Runs a command that may outlive this server, or goes on with one. The engine drops what a command prints once nobody is
 * attached to it, so the shim keeps output and exit code in files of the container; what comes is read from those. The
 * shim starts the command only if it can make the directory of these files, so however often a start is asked for, there
 * is one.
 * @throws CoachError `sandbox.failed` when nobody can tell how it ended
 */
export async function execLasting(
  container: Docker.Container,
  { argv, cwd, env, stdin = '', ...output }: Omit<SandboxCommand, 'lasting'>,
  { hasStarted, stdoutFrom, stderrFrom, onStarted }: LastingCommand,
  signal: AbortSignal,
): Promise<SandboxOutcome> {
  const shim = (...args: string[]): [string, ...string[]] => [insideNode, insideShim, ...args];
  const place = { cwd: '/', env: {} };
  const from = [String(stdoutFrom), String(stderrFrom)];
  let followed: SandboxOutcome;
  if (hasStarted) {
    followed = await execIn(container, { argv: shim('--follow', keptOutput, ...from), ...place, ...output }, signal);
  } else {
    let isRunning = false;
    const onLine = () => {
      isRunning = true;
      onStarted();
    };
    const onStdout = afterFirstLine(startedLine, onLine, output.onStdout);
    const keep = shim('--keep', keptOutput, String(Buffer.byteLength(stdin)), ...from, '--', ...argv);
    followed = await execIn(container, { argv: keep, cwd, env, stdin, ...output, onStdout }, signal);
    if (!isRunning) {
      const said = followed.stderr.toString().trim() || 'no answer';
      throw new CoachError('sandbox.failed', `The agent could not be started: ${said}`);
    }
    followed = { ...followed, stdout: followed.stdout.subarray(`${startedLine}\n`.length) };
  }
  // The shim ends as the command did, unless something ended the shim.
  if (followed.exitCode === 0) return followed;
  const { stdout } = await execIn(container, { argv: ['cat', `${keptOutput}/exit`], ...place }, signal);
  const exitCode = /^\d+$/.test(stdout.toString()) ? Number(stdout.toString()) : null;
  if (exitCode !== null) return { ...followed, exitCode };
  throw new CoachError('sandbox.failed', `Nobody can tell how the agent ended: ${followed.stderr.toString().trim()}`, {
    hint: 'It may have ended the processes around it, or run out of memory.',
  });
}
