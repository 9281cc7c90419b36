import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { exec } from '../../base/exec.ts';
import { insideNode, insideShim, insideSocket, sandboxHome, sandboxHostname, sandboxUser } from '../places.ts';

export interface Bind {
  readonly host: string;
  readonly inside: string;
  readonly writable: boolean;
}

/** Of util-linux, at the same place inside; null where it is not there, or is a link to BusyBox, which can do less. */
const setpriv = lstatSync('/usr/bin/setpriv', { throwIfNoEntry: false })?.isFile() ? '/usr/bin/setpriv' : null;

/** Whether this process is root: bubblewrap then needs no user namespace, and root is given up inside. */
export const runsAsRoot = process.getuid?.() === 0;

/** Directories of the system that commands need; nothing else of this machine is visible inside. */
export const systemPlaces = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'] as const;

const systemFiles = [
  '/etc/alternatives',
  '/etc/ssl/certs',
  '/etc/ca-certificates',
  '/etc/pki/tls/certs',
  '/etc/ld.so.cache',
  '/etc/localtime',
] as const;

export const searchPath = '/opt/coach/node/bin:/usr/local/bin:/usr/bin:/bin';

/**
 * Arguments of bubblewrap for one command: new namespaces, an empty network with only `lo`, no capabilities, the system
 * read-only, and the given binds. The Node binary is at the same place as in Docker.
 */
export function bubblewrapArgs(
  program: string,
  command: {
    readonly binds: readonly Bind[];
    readonly node: string;
    readonly shim: string;
    readonly endpoint: { readonly socket: string; readonly port: number } | null;
    readonly cwd: string;
    readonly argv: readonly string[];
  },
): [string, ...string[]] {
  const { endpoint } = command;
  const binds: readonly Bind[] = [
    ...systemFiles.filter(path => existsSync(path)).map(path => ({ host: path, inside: path, writable: false })),
    { host: command.node, inside: insideNode, writable: false },
    { host: command.shim, inside: insideShim, writable: false },
    ...(endpoint === null ? [] : [{ host: endpoint.socket, inside: insideSocket, writable: false }]),
    ...command.binds,
  ];
  // Parents that bubblewrap makes by itself are closed to the user that the command runs as.
  const parents = new Set(binds.flatMap(bind => parentsOf(bind.inside)));
  return [
    program,
    ...privileges(),
    ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
    ...['--die-with-parent', '--new-session', '--hostname', sandboxHostname],
    ...systemPlaces.flatMap(systemBind),
    ...['--proc', '/proc', '--dev', '/dev', '--perms', '1777', '--tmpfs', '/tmp'],
    ...[...parents].flatMap(path => ['--perms', '0755', '--dir', path]),
    ...binds.flatMap(({ host, inside, writable }) => [writable ? '--bind' : '--ro-bind', host, inside]),
    // What holds the binds together is memory that the command's user could write to.
    ...['--remount-ro', '/'],
    ...['--chdir', command.cwd, '--', ...starter(endpoint?.port ?? null), '--'],
    ...command.argv,
  ];
}

/** What starts the command inside: the shim where it has to listen, else what takes a fiftieth of the shim's time. */
function starter(port: number | null): string[] {
  if (port === null && setpriv !== null) {
    return [setpriv, ...(runsAsRoot ? [`--reuid=${sandboxUser}`, `--regid=${sandboxUser}`, '--clear-groups'] : [])];
  }
  return [
    ...[insideNode, insideShim],
    ...(port === null ? [] : ['--listen', String(port), insideSocket]),
    ...(runsAsRoot ? ['--user', String(sandboxUser)] : []),
  ];
}

/** Whether a bubblewrap really can make such a sandbox here, in which the shim's Node runs; the reason when it can't. */
export async function tryBubblewrap(program: string, node: string, shim: string): Promise<string | null> {
  return runBare(program, node, shim, [insideNode, '--version'], AbortSignal.timeout(10_000));
}

/** Runs a command in a sandbox with nothing of a task in it; what it said last when it failed, else null. */
export async function runBare(
  program: string,
  node: string,
  shim: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<string | null> {
  const argv = bubblewrapArgs(program, { binds: [], node, shim, endpoint: null, cwd: '/', argv: command });
  try {
    const outcome = await exec({ argv, env: sandboxEnv({}) }, signal);
    if (outcome.exitCode === 0) return null;
    return outcome.stderr.toString().trim().split('\n').at(-1) || `exit code ${outcome.exitCode}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The whole environment of a command. It is handed over as such, so that no value shows in a list of processes. */
export function sandboxEnv(env: Readonly<Record<string, string>>): Record<string, string> {
  return { ...env, HOME: sandboxHome, PATH: searchPath, LANG: 'C.UTF-8' };
}

function privileges(): string[] {
  if (!runsAsRoot) return ['--unshare-user', '--uid', String(sandboxUser), '--gid', String(sandboxUser)];
  return ['--cap-drop', 'ALL', '--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID'];
}

/** A system directory as it is on this machine: a link into /usr on merged systems, else a directory. */
function systemBind(path: string): string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  return stat.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
}

/** Directories above a path, outermost first, without the root. */
function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}
