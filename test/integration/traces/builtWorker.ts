import { mkdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

/** A worker as the build makes it, from its entry file. Returns the built file. */
export async function buildWorker(directory: string, entry: string): Promise<string> {
  const outfile = join(directory, `${basename(entry, '.ts')}.cjs`);
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['better-sqlite3'],
    outfile,
    logLevel: 'silent',
  });
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(join(process.cwd(), 'node_modules', 'better-sqlite3'), join(directory, 'node_modules', 'better-sqlite3'));
  return outfile;
}
