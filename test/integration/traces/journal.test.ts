import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { aRecorder, aReply, said } from '../../unit/traces/recordedTraffic.ts';

const megabyte = 1024 * 1024;

it('shrinks the journal again after a reader that stayed while much was written', { timeout: 300_000 }, async () => {
  const { record, accept, file } = aRecorder();
  record({ request: { model: 'm', input: [said('user', 'first')] }, response: aReply([]) });
  const reader = new Database(file, { readonly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM exchanges').get();
  const journalBytes = () => statSync(`${file}-wal`).size;
  // 100,000 rows: denials are the smallest ones there are.
  const launch = { id: 'l', agent: 'codex', label: null, trialId: 't', replay: false };
  for (let n = 0; n < 100_000; n++) {
    accept({ kind: 'deny', launch, host: 'example.com', port: 443, reason: 'not a model host', atMs: n });
    // Lets the recorder's own upkeep have its turn, which must not wait for the reader.
    if (n % 10_000 === 0) await sleep(1);
  }
  expect(journalBytes()).toBeGreaterThan(64 * megabyte);
  reader.exec('COMMIT');
  reader.close();
  record({ request: { model: 'm', input: [said('user', 'last')] }, response: aReply([]) });
  for (let attempt = 0; attempt < 300 && journalBytes() >= 4 * megabyte; attempt++) await sleep(50);
  expect(journalBytes()).toBeLessThan(4 * megabyte);
});
