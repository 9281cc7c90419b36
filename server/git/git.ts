import { devNull } from 'node:os';
import { CoachError } from '../../protocol/errors.ts';
import { type ExecOutcome, exec } from '../base/exec.ts';

/** Most output of one git call that is kept; a larger diff is refused rather than cut. */
const maxOutputBytes = 256 * 1024 * 1024;

export interface GitCall {
  readonly gitDir: string;
  readonly workTree?: string;
  readonly indexFile?: string;
  readonly stdin?: string | Uint8Array;
  /** Author and committer; only calls that make commits need it. */
  readonly identity?: GitIdentity;
  /** Exit codes besides 0 that are an answer, not a fault. */
  readonly answers?: readonly number[];
  /** Further `-c name=value`. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface GitIdentity {
  readonly name: string;
  readonly email: string;
  /** ISO 8601 with zone, such as `2025-01-01T00:00:00Z`. */
  readonly date: string;
}

export interface GitOutcome {
  readonly exitCode: number;
  readonly stdout: Buffer;
}

/**
 * On every call: nothing that a repository's own configuration names may run, and nothing of the machine's
 * configuration may change what we read. Filters are not switched off here, because no `-c` can: calls that touch file
 * content use a repository of ours (store.ts).
 */
const hardening: Readonly<Record<string, string>> = {
  'core.hooksPath': devNull,
  'core.fsmonitor': 'false',
  'core.attributesFile': devNull,
  'core.untrackedCache': 'false',
  'core.quotePath': 'false',
  'core.pager': 'cat',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'commit.gpgSign': 'false',
  'submodule.recurse': 'false',
  'advice.detachedHead': 'false',
};

/**
 * Runs git on one explicit repository; nothing is discovered and no setting of the machine is read.
 * @throws CoachError `git.missing`, or `git.failed` with what git said.
 */
export async function git(args: readonly string[], call: GitCall, signal?: AbortSignal): Promise<GitOutcome> {
  const config = Object.entries({ ...hardening, ...call.config }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  // `git apply` writes below the current directory, whatever the work tree is.
  const cwd = call.workTree ?? call.gitDir;
  const outcome = await run([...config, ...args], { cwd, env: gitEnvironment(call), stdin: call.stdin }, signal);
  if (outcome.stdout.length >= maxOutputBytes) {
    throw new CoachError('git.failed', `git ${args[0]} answered with more than ${maxOutputBytes / 2 ** 20} MiB.`, {
      hint: 'Leave large files out of the change: add them to .gitignore.',
    });
  }
  const exitCode = outcome.exitCode ?? -1;
  if (exitCode !== 0 && !call.answers?.includes(exitCode)) throw failed(args, outcome.stderr.toString());
  return { exitCode, stdout: outcome.stdout };
}

/** The same, as text without the last line break. */
export async function gitText(args: readonly string[], call: GitCall, signal?: AbortSignal): Promise<string> {
  return (await git(args, call, signal)).stdout.toString().replace(/\n$/, '');
}

/** Fields of a `-z` answer. */
export function splitNul(output: Buffer): string[] {
  const fields = output.toString().split('\0');
  if (fields.at(-1) === '') fields.pop();
  return fields;
}

/**
 * A setting as the user's own git would see it (system, user, repository), or null. Reading settings runs nothing.
 */
export async function userSetting(gitDir: string, name: string, signal?: AbortSignal): Promise<string | null> {
  const env = {
    ...baseEnvironment(),
    GIT_DIR: gitDir,
    HOME: process.env['HOME'],
    XDG_CONFIG_HOME: process.env['XDG_CONFIG_HOME'],
  };
  const outcome = await run(['config', '--get', name], { cwd: gitDir, env }, signal);
  return outcome.exitCode === 0 ? outcome.stdout.toString().replace(/\n$/, '') : null;
}

function gitEnvironment({ gitDir, workTree, indexFile, identity }: GitCall): NodeJS.ProcessEnv {
  return {
    ...baseEnvironment(),
    HOME: gitDir,
    XDG_CONFIG_HOME: gitDir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: devNull,
    GIT_ATTR_NOSYSTEM: '1',
    GIT_DIR: gitDir,
    ...(workTree === undefined ? {} : { GIT_WORK_TREE: workTree }),
    ...(indexFile === undefined ? {} : { GIT_INDEX_FILE: indexFile }),
    ...(identity === undefined
      ? {}
      : {
          GIT_AUTHOR_NAME: identity.name,
          GIT_AUTHOR_EMAIL: identity.email,
          GIT_AUTHOR_DATE: identity.date,
          GIT_COMMITTER_NAME: identity.name,
          GIT_COMMITTER_EMAIL: identity.email,
          GIT_COMMITTER_DATE: identity.date,
        }),
  };
}

/** No transport at all, no lazy fetch of missing objects, no prompt, no lock taken by a reader. */
function baseEnvironment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    ...(process.platform === 'win32' ? { SystemRoot: process.env['SystemRoot'], TEMP: process.env['TEMP'] } : {}),
    LC_ALL: 'C',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_PAGER: 'cat',
  };
}

interface Run {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin?: string | Uint8Array | undefined;
}

async function run(args: readonly string[], { cwd, env, stdin }: Run, signal?: AbortSignal): Promise<ExecOutcome> {
  const spec = { argv: ['git', ...args] as [string, ...string[]], cwd, env, maxBytes: maxOutputBytes };
  try {
    return await exec(stdin === undefined ? spec : { ...spec, stdin }, signal);
  } catch (error) {
    if (error instanceof CoachError && error.code === 'agent.missing') {
      throw new CoachError('git.missing', 'No git on this machine.', {
        cause: error,
        hint: 'Install git (Debian: apt-get install git) and try again.',
      });
    }
    throw error;
  }
}

function failed(args: readonly string[], stderr: string): CoachError {
  const said = stderr.trim();
  if (/No space left on device/.test(said)) {
    return new CoachError('disk.full', `git ${args[0]}: ${said}`, { hint: 'Free some space and try again.' });
  }
  if (/Read-only file system/.test(said)) {
    return new CoachError('disk.readOnly', `git ${args[0]}: ${said}`, {
      hint: 'Make it writable, or choose another place with COACH_HOME.',
    });
  }
  return new CoachError('git.failed', `git ${args[0]} failed: ${said || 'no message'}`, {
    hint: 'Run `git fsck` in the repository, mend what it reports and try again.',
  });
}
