import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CoachError } from '../../protocol/errors.ts';
import { firstBytes } from './firstBytes.ts';

/** Time between TERM and KILL, and the longest wait for output after a process has exited. */
const graceMs = 5000;
const drainMs = 5000;

/** Takes a part of a stream. When it answers with a promise, the stream waits for that; other answers say nothing. */
export type OutputListener = (chunk: Buffer) => unknown;

export interface ExecSpec {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** The whole environment of the child; nothing is inherited besides it. */
  readonly env: NodeJS.ProcessEnv;
  readonly stdin?: string | Uint8Array;
  readonly onStdout?: OutputListener;
  readonly onStderr?: OutputListener;
  /** Output kept for the outcome, per stream; the rest only passes through the callbacks. Default 16 MiB. */
  readonly maxBytes?: number;
  /** The caller's terminal instead of pipes: for an agent that a person talks to. */
  readonly inherit?: boolean;
}

export interface ExecOutcome {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface Execution {
  readonly pid: number;
  readonly done: Promise<ExecOutcome>;
  /** Passes a signal on to the process itself. */
  signal(name: NodeJS.Signals): void;
  /**
   * TERM to the whole process group, KILL after 5 s. Output that was not read by then is lost. Resolves when the group's
   * leader is gone.
   */
  kill(): Promise<void>;
}

/**
 * Starts a process in a group of its own (except with `inherit`). A missing program rejects `done` with ENOENT.
 * After exit its output is drained for at most 5 s: a grandchild may hold the pipe for ever.
 */
export function start(spec: ExecSpec): Execution {
  const [program, ...args] = spec.argv;
  const child = spawn(program, args, {
    cwd: spec.cwd,
    env: spec.env,
    detached: !spec.inherit && process.platform !== 'win32',
    stdio: spec.inherit ? 'inherit' : ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(spec.stdin ?? '');
  const stdout = collect(child.stdout, spec.onStdout, spec.maxBytes);
  const stderr = collect(child.stderr, spec.onStderr, spec.maxBytes);
  const done = outcome(child, stdout, stderr);
  return {
    pid: child.pid ?? -1,
    done,
    signal: name => signalGroup(child, name, true),
    async kill() {
      signalGroup(child, 'SIGTERM', spec.inherit ?? false);
      child.stdout?.destroy();
      child.stderr?.destroy();
      const timer = setTimeout(() => signalGroup(child, 'SIGKILL', spec.inherit ?? false), graceMs);
      await done.catch(() => undefined);
      clearTimeout(timer);
      signalGroup(child, 'SIGKILL', spec.inherit ?? false);
    },
  };
}

/** Runs to the end. An aborted signal kills the group and rejects with its reason. */
export async function exec(spec: ExecSpec, signal?: AbortSignal): Promise<ExecOutcome> {
  signal?.throwIfAborted();
  const execution = start(spec);
  const abort = () => void execution.kill();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const result = await execution.done;
    signal?.throwIfAborted();
    return result;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Starts a process that outlives this one: its own session, no pipes. */
export function startDetached(argv: readonly [string, ...string[]], env: NodeJS.ProcessEnv, logFd: number): number {
  const [program, ...args] = argv;
  const child = spawn(program, args, { env, detached: true, stdio: ['ignore', logFd, logFd], windowsHide: true });
  child.on('error', () => undefined);
  child.unref();
  return child.pid ?? -1;
}

/** Whether a process exists. A zombie counts as gone: where nobody collects orphans it stays one for good. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return !isZombie(pid);
}

/** By the state in /proc/<pid>/stat (proc(5)); false where there is no /proc. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The field before it is the program's name in parentheses and may hold spaces.
    return stat.charAt(stat.lastIndexOf(')') + 2) === 'Z';
  } catch {
    return false;
  }
}

function outcome(child: ChildProcess, stdout: () => Buffer, stderr: () => Buffer): Promise<ExecOutcome> {
  return new Promise((resolve, reject) => {
    const finish = (exitCode: number | null, signal: NodeJS.Signals | null) =>
      resolve({ exitCode, signal, stdout: stdout(), stderr: stderr() });
    child.once('error', (error: NodeJS.ErrnoException) => {
      const program = child.spawnfile;
      reject(
        error.code === 'ENOENT'
          ? new CoachError('agent.missing', `No program ${program} on this machine.`, { cause: error })
          : error,
      );
    });
    child.once('exit', (exitCode, signal) => {
      const timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        finish(exitCode, signal);
      }, drainMs);
      child.once('close', () => {
        clearTimeout(timer);
        finish(exitCode, signal);
      });
    });
  });
}

function collect(
  stream: NodeJS.ReadableStream | null,
  pass?: OutputListener,
  maxBytes = 16 * 1024 * 1024,
): () => Buffer {
  const kept = firstBytes(maxBytes);
  stream?.on('data', (chunk: Buffer) => {
    kept.take(chunk);
    const taken = pass?.(chunk);
    if (taken instanceof Promise) {
      stream.pause();
      const resume = () => void stream.resume();
      taken.then(resume, resume);
    }
  });
  stream?.on('error', () => undefined);
  return kept.content;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals, single: boolean): void {
  if (child.pid === undefined) return;
  try {
    if (single || process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}
