import { fileURLToPath } from 'node:url';

/** Who commands run as, in every sandbox. */
export const sandboxUser = 1000;

/** Paths inside a sandbox, the same in every executor. */
export const sandboxHome = '/home/agent';
export const insideNode = '/opt/coach/node/bin/node';
export const insideShim = '/opt/coach/shim.mjs';
export const insideSocket = '/opt/coach/model.sock';

/** Besides the repository: where a verifier leaves its results, and where hidden tests of foreign tasks go. */
export const sharedPlaces = ['/logs', '/tests'] as const;

/** The shim lies beside this module; the build keeps it beside the bundle. */
export const shimFile = fileURLToPath(new URL('./shim.mjs', import.meta.url));

/** Largest copy out of a sandbox, and most entries in it. */
export const copyLimits = { sizeBytes: 2 * 1024 ** 3, entries: 200_000 } as const;
