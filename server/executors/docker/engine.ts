import Docker from 'dockerode';
import { CoachError } from '../../../protocol/errors.ts';

/** The engine at an address as in DOCKER_HOST; empty means the default socket. Nothing is asked of it yet. */
export function connectEngine(host: string): { docker: Docker; host: string } {
  const given = host || 'unix:///var/run/docker.sock';
  if (given.startsWith('unix://'))
    return { docker: new Docker({ socketPath: given.slice('unix://'.length) }), host: given };
  if (given.startsWith('npipe://'))
    return { docker: new Docker({ socketPath: given.slice('npipe://'.length) }), host: given };
  if (given.startsWith('/')) return { docker: new Docker({ socketPath: given }), host: `unix://${given}` };
  // A sandbox reaches its model through a socket of this machine, which a remote engine can't mount.
  throw new CoachError('docker.unavailable', `${given} is not an engine of this machine.`, {
    hint: 'Only engines behind a Unix socket or a named pipe can run trials. Set codexCoach.docker.host, or run with --executor local.',
  });
}

/** A failed call to the engine, as the user should read it. */
export function engineError(cause: unknown, host: string): CoachError {
  if (cause instanceof CoachError) return cause;
  if (cause instanceof Error && cause.name === 'AbortError') return CoachError.from(cause);
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE') {
    return new CoachError('docker.unavailable', `No Docker engine answers at ${host}.`, {
      cause,
      hint: 'Start Docker, or run with --executor local.',
    });
  }
  if (code === 'EACCES') {
    return new CoachError('docker.unavailable', `No permission to use the Docker engine at ${host}.`, {
      cause,
      hint: 'Add yourself to the docker group and log in again, or run with --executor local.',
    });
  }
  return new CoachError('docker.failed', `Docker: ${messageOf(cause)}`, { cause });
}

/** HTTP status of a failed call, or null when it never got one. */
export function statusOf(error: unknown): number | null {
  const status = (error as { statusCode?: unknown }).statusCode;
  return typeof status === 'number' ? status : null;
}

/**
 * Reads the progress that builds, pulls and imports answer with, to its end. A failure arrives as a line of it, not as
 * an error of the call.
 * @throws Error with the engine's text
 */
export function followProgress(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  onLine: (text: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: string | null = null;
    docker.modem.followProgress(
      stream,
      error => {
        if (error) reject(error);
        else if (failure !== null) reject(new Error(failure));
        else resolve();
      },
      (line: { stream?: string; status?: string; error?: string }) => {
        if (line.error) failure = line.error;
        const text = (line.stream ?? line.status ?? '').trim();
        if (text !== '') onLine(text);
      },
    );
  });
}

function messageOf(cause: unknown): string {
  const json = (cause as { json?: { message?: string } }).json;
  return json?.message ?? (cause instanceof Error ? cause.message : String(cause));
}
