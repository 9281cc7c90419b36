import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** First program of that name on PATH, or null. */
export function programOnPath(name: string, env: NodeJS.ProcessEnv): string | null {
  const suffix = process.platform === 'win32' ? '.cmd' : '';
  for (const directory of (env['PATH'] ?? '').split(delimiter)) {
    const file = join(directory || '.', `${name}${suffix}`);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // Not here; the next directory may have it.
    }
  }
  return null;
}
