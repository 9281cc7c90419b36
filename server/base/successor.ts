import { readFile } from 'node:fs/promises';
import { delay } from './clock.ts';
import type { HeldLock } from './lock.ts';
import type { Log } from './log.ts';

interface ServedHome {
  readonly tokenFile: string;
  readonly token: string;
  readonly lock: Pick<HeldLock, 'inPlace'>;
  readonly log: Log;
  /** Writes our token to its file. */
  writeToken(): void;
}

/**
 * Resolves when another server has come to serve this home: its token stands where ours did. As only the holder of the
 * lock writes one, our files were deleted or moved away before. While our lock is in its place there is none, and what
 * was put back over our token, or took it away, is mended. While there is just no file, nobody waits for our place.
 * Looks every `checkMs`, a read of a few bytes. Rejects when the signal is given.
 */
export async function successor(
  { tokenFile, token, lock, log, writeToken }: ServedHome,
  checkMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await delay(checkMs, signal);
    const found = await readFile(tokenFile, 'utf8').catch(() => '');
    if (found === token) continue;
    if (lock.inPlace()) rewrite(writeToken, log);
    // Empty: it is just being written.
    else if (found !== '') return;
  }
}

function rewrite(writeToken: () => void, log: Log): void {
  try {
    writeToken();
    log.warn('The token of this server was replaced or deleted, and is written again.');
  } catch (error) {
    log.debug('The token of this server cannot be written again.', { error });
  }
}
