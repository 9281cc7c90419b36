import { readFile } from 'node:fs/promises';
import { delay } from './clock.ts';

/**
 * Resolves when another server has come to serve this home: its token stands where ours did. As only the holder of the
 * lock writes one, our files were deleted or moved away before. While there is just no file, nobody waits for our place.
 * Looks every `checkMs`, a read of a few bytes. Rejects when the signal is given.
 */
export async function successor(tokenFile: string, token: string, checkMs: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    await delay(checkMs, signal);
    const found = await readFile(tokenFile, 'utf8').catch(() => '');
    // Empty: it is just being written.
    if (found !== '' && found !== token) return;
  }
}
