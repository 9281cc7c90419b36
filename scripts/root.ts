import { join } from 'node:path';

/** The checkout. */
export const root = join(import.meta.dirname, '..');

/** Programs of the locked dependencies. */
export function binary(name: string): string {
  return join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name);
}
