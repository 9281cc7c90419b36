import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryDirectory } from '../../temporary.ts';

/** A checkout with nothing but these files, by their path. */
export function aCheckout(files: Readonly<Record<string, string>>): string {
  const directory = temporaryDirectory();
  for (const folder of ['protocol', 'server', 'client', 'webview', 'perf', 'scripts'])
    mkdirSync(join(directory, folder));
  for (const [file, source] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), source);
  }
  return directory;
}
