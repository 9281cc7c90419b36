import { fileURLToPath } from 'node:url';

/** Who commands run as, in every sandbox. */
export const sandboxUser = 1000;

/** Paths inside a sandbox, the same in every executor. */
export const sandboxHome = '/home/agent';
export const insideNode = '/opt/coach/node/bin/node';
export const insideShim = '/opt/coach/shim.mjs';
export const insideSocket = '/opt/coach/model.sock';
/** In Docker the socket's directory is mounted, so that another server can put its own socket there. */
export const insideSocketDirectory = '/opt/coach/model';
/** Where a container keeps what a lasting command printed, and how it ended. */
export const keptOutput = '/logs/.agent';

/** Besides the repository: where a verifier leaves its results, and where tests and solutions of foreign tasks go. */
export const sharedPlaces = ['/logs', '/tests', '/solution'] as const;

/** The shim lies beside this module; the build keeps it beside the bundle. */
export const shimFile = fileURLToPath(new URL('./shim.mjs', import.meta.url));

/** The `/etc/hosts` of every sandbox, beside this module as well. */
export const hostsFile = fileURLToPath(new URL('./hosts', import.meta.url));
/** What that file calls a sandbox. */
export const sandboxHostname = 'sandbox';

/** Largest copy out of a sandbox, and most entries in it. */
export const copyLimits = { sizeBytes: 2 * 1024 ** 3, entries: 200_000 } as const;
