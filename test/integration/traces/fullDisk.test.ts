import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../../server/base/log.ts';
import { startRecorder } from '../../../server/traces/recorder/recorder.ts';
import { noteSkip } from '../../require.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { anOrigin, aReply, feed, said } from '../../unit/traces/recordedTraffic.ts';

/** A disk of 3 MB that can be made larger; null where this user may not mount one. */
function aSmallDisk(): { directory: string; enlarge: () => void } | null {
  const directory = join(temporaryDirectory(), 'disk');
  mkdirSync(directory);
  const mount = (options: string) => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'ignore' });
  };
  try {
    mount('size=3m');
  } catch {
    noteSkip('a disk that runs full', 'this user may not mount one');
    return null;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', directory]));
  return { directory, enlarge: () => mount('remount,size=60m') };
}

it('loses nothing on a disk that runs full, and goes on when there is space again', { timeout: 60_000 }, async () => {
  const disk = aSmallDisk();
  if (disk === null) return;
  const file = join(disk.directory, 'traces.sqlite3');
  const recorder = await startRecorder({ file, workerFile: null, idleSeconds: 60, log: silentLog });
  let stored = 0;
  const warnings: string[] = [];
  recorder.onEvent(event => {
    if (event.kind === 'exchange') stored++;
    if (event.kind === 'uncaptured') warnings.push(event.reason);
    if (event.kind === 'storage' && !event.over) warnings.push(event.reason);
  });
  writeFileSync(join(disk.directory, 'ballast'), Buffer.alloc(500_000));
  for (let number = 0; number < 300; number++) {
    const input = [said('user', randomBytes(6000).toString('base64'))];
    feed(recorder.tap(anOrigin()), {
      request: { model: 'm', input },
      response: aReply([]),
      headers: { 'thread-id': 'a' },
    });
    if (number % 20 === 0) await recorder.flush();
  }
  await recorder.flush();
  expect(stored).toBeLessThan(300);
  disk.enlarge();
  for (let attempt = 0; attempt < 200 && stored < 300; attempt++) await sleep(50);
  expect(warnings).toEqual([expect.stringContaining('is full')]);
  await recorder.dispose();
  const database = new Database(file, { readonly: true });
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(database.prepare('SELECT count(*) FROM exchanges').pluck().get()).toBe(300);
  database.close();
});
