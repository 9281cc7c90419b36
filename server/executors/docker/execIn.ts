import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import type { OutputListener } from '../../base/exec.ts';
import { firstBytes } from '../../base/firstBytes.ts';
import type { SandboxCommand, SandboxOutcome } from '../executor.ts';
import { demultiplexer } from './demultiplexer.ts';

/**
 * Runs a command in a container to its end; an aborted signal kills the container.
 * @param enough once aborted, the command is left to itself: no more of its output is read
 */
export async function execIn(
  container: Docker.Container,
  command: SandboxCommand,
  signal: AbortSignal,
  enough?: AbortSignal,
): Promise<SandboxOutcome> {
  signal.throwIfAborted();
  const execution = await container.exec({
    Cmd: [...command.argv],
    WorkingDir: command.cwd,
    Env: toVariables(command.env),
    AttachStdin: command.stdin !== undefined,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await execution.start({ hijack: true, stdin: command.stdin !== undefined });
  command.onStarted?.();
  const outputs = await readOutputs(container, stream, command, signal, enough);
  if (enough?.aborted) return { exitCode: null, ...outputs };
  const { ExitCode } = await execution.inspect();
  return { exitCode: ExitCode, ...outputs };
}

/** Starts a container whose own command this is, and waits for its end; an aborted signal kills the container. */
export async function startAs(
  container: Docker.Container,
  command: SandboxCommand,
  signal: AbortSignal,
): Promise<SandboxOutcome> {
  signal.throwIfAborted();
  const attach = { stream: true, hijack: true, stdin: true, stdout: true, stderr: true };
  const stream = (await container.attach(attach)) as Duplex;
  const reading = readOutputs(container, stream, { stdin: '', ...command }, signal);
  // Awaited after the start, which may fail first.
  reading.catch(() => undefined);
  try {
    await container.start();
  } catch (error) {
    stream.destroy();
    throw error;
  }
  // Killed before it ran, it runs now.
  if (signal.aborted) await container.kill({ signal: 'SIGKILL' }).catch(() => undefined);
  command.onStarted?.();
  const outputs = await reading;
  const { StatusCode } = (await container.wait()) as { StatusCode: number };
  return { exitCode: StatusCode, ...outputs };
}

/** Gives a command its input and reads both of its outputs to their end. */
async function readOutputs(
  container: Docker.Container,
  stream: Duplex,
  command: SandboxCommand,
  signal: AbortSignal,
  enough?: AbortSignal,
): Promise<Pick<SandboxOutcome, 'stdout' | 'stderr'>> {
  const stdout = kept(command.onStdout, command.maxBytes);
  const stderr = kept(command.onStderr, command.maxBytes);
  const split = demultiplexer();
  stream.on('data', (chunk: Buffer) => {
    const taken = split(chunk).map(part => (part.from === 'stderr' ? stderr : stdout).take(part.content));
    const open = taken.filter(wait => wait instanceof Promise);
    if (open.length === 0) return;
    stream.pause();
    void Promise.allSettled(open).then(() => stream.resume());
  });
  let killed: Promise<unknown> = Promise.resolve();
  const kill = () => {
    stream.destroy();
    killed = container.kill({ signal: 'SIGKILL' }).catch(() => undefined);
  };
  const leave = () => stream.destroy();
  signal.addEventListener('abort', kill, { once: true });
  enough?.addEventListener('abort', leave, { once: true });
  if (signal.aborted) kill();
  try {
    const ended = new Promise<void>((resolve, reject) => {
      stream.once('end', resolve);
      stream.once('close', resolve);
      stream.once('error', reject);
    });
    if (command.stdin !== undefined) stream.end(command.stdin);
    await ended;
    await killed;
    signal.throwIfAborted();
    return { stdout: stdout.content(), stderr: stderr.content() };
  } finally {
    signal.removeEventListener('abort', kill);
    enough?.removeEventListener('abort', leave);
  }
}

/** Keeps a stream up to a size and passes all of it on. */
function kept(pass: OutputListener | undefined, maxBytes = 16 * 1024 * 1024) {
  const first = firstBytes(maxBytes);
  return {
    take(chunk: Buffer) {
      first.take(chunk);
      return pass?.(chunk);
    },
    content: first.content,
  };
}

/** An environment as the engine takes it. */
export function toVariables(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
