import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { endpointOf } from '../../protocol/endpoint.ts';
import { CoachError } from '../../protocol/errors.ts';
import { makeDirectory } from './directories.ts';
import { userHome } from './userHome.ts';

/** Where everything of ours lies outside the user's repositories. */
export interface CoachPaths {
  readonly home: string;
  readonly ca: string;
  /** Launches and port that outlive the server. */
  readonly launches: string;
  readonly tracesDb: string;
  readonly coachDb: string;
  readonly workspaces: string;
  readonly cache: string;
  readonly logs: string;
  readonly lockFile: string;
  readonly tokenFile: string;
  /** What a program shows to `codex-coach serve`: a header line, as `curl -H @file` takes it. */
  readonly httpHeaderFile: string;
  /** Unix socket or named pipe of the background server. */
  readonly socket: string;
}

export function coachPaths(env: NodeJS.ProcessEnv = process.env): CoachPaths {
  // No shell has read what a file of variables says.
  const named = env['COACH_HOME']?.replace(/^~(?=[\\/]|$)/, () => userHome(env));
  const home = resolve(named || join(userHome(env), '.codex-coach'));
  return {
    home,
    ca: join(home, 'ca'),
    launches: join(home, 'launches.json'),
    tracesDb: join(home, 'traces.sqlite3'),
    coachDb: join(home, 'coach.sqlite3'),
    workspaces: join(home, 'workspaces'),
    cache: join(home, 'cache'),
    logs: join(home, 'logs'),
    lockFile: join(home, 'server.lock'),
    tokenFile: join(home, 'server.token'),
    httpHeaderFile: join(home, 'http.header'),
    socket: socketPath(home),
  };
}

/** Makes the home and its directories, 0700. A read-only disk is a clear fault. */
export function ensureHome(paths: CoachPaths): void {
  try {
    for (const directory of [paths.home, paths.ca, paths.workspaces, paths.cache, paths.logs]) {
      makeDirectory(directory, 0o700);
    }
    // One that was there may be open to others; what lies in it is nobody else's business.
    if ((statSync(paths.home).mode & 0o077) !== 0) chmodSync(paths.home, 0o700);
    if (!paths.socket.startsWith(paths.home) && process.platform !== 'win32') {
      const directory = join(paths.socket, '..');
      makeDirectory(directory, 0o700);
      requireOwn(directory);
    }
  } catch (cause) {
    throw readOnlyError(paths.home, cause);
  }
}

/** Where anybody may make directories, another user's could lie in wait. */
function requireOwn(directory: string): void {
  const { uid, mode } = lstatSync(directory);
  if (uid !== userInfo().uid || (mode & 0o077) !== 0) throw new Error(`${directory} is open to other users`);
}

/** Why nothing can be written, where the system's own word needs one. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'the disk is read-only',
  ENOTDIR: 'a file stands in its path',
  EEXIST: 'a file stands in its path',
  EISDIR: 'that is a directory',
  ENOENT: 'nothing can be made there',
};

/** A failed write as the user should read it. */
export function readOnlyError(place: string, cause: unknown): CoachError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOSPC')
    return new CoachError('disk.full', `The disk with ${place} is full.`, {
      cause,
      hint: 'Free some space and try again.',
    });
  const reason = reasons[code] === undefined ? code || String(cause) : `${reasons[code]} (${code})`;
  return new CoachError('disk.readOnly', `Can't write to ${place}: ${reason}.`, {
    cause,
    hint: 'Make it writable, or choose another place with COACH_HOME.',
  });
}

function socketPath(home: string): string {
  return endpointOf(home, {
    platform: process.platform,
    userId: process.platform === 'win32' ? 0 : userInfo().uid,
    sha256Hex: text => createHash('sha256').update(text).digest('hex'),
  });
}
