import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { TraceStore } from '../../../server/traces/store.ts';
import { temporaryDirectory } from '../../temporary.ts';

const kills = 50;

/** Starts a recorder, kills it at a random moment after its first acknowledgement, and returns what it acknowledged. */
async function killedRun(file: string, first: number): Promise<string[]> {
  const script = new URL('./killedRecorder.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, file, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const started = once(child.stdout, 'data');
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const closed = once(child, 'close');
  await Promise.race([started, closed]);
  await sleep(Math.random() * 80);
  child.kill('SIGKILL');
  await closed;
  // The last line may be cut.
  return output.split('\n').slice(0, -1);
}

it(`keeps every acknowledged exchange whole through ${kills} kills at random moments`, {
  timeout: 300_000,
}, async () => {
  const file = join(temporaryDirectory(), 'traces.sqlite3');
  const acknowledged: string[] = [];
  for (let kill = 0; kill < kills; kill++) {
    acknowledged.push(...(await killedRun(file, kill * 1_000_000)));
    const database = new Database(file);
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    database.close();
  }
  expect(acknowledged.length).toBeGreaterThan(kills);
  const database = new Database(file, { readonly: true });
  const stored = new Set(database.prepare('SELECT id FROM exchanges').pluck().all());
  expect(acknowledged.filter(id => !stored.has(id))).toEqual([]);
  const totals = database.prepare('SELECT sum(exchanges) FROM usage_totals').pluck().get();
  expect(totals).toBe(stored.size);
  database.close();
  const store = new TraceStore(file);
  for (const session of store.newest({ limit: 500 }).rows) {
    for (const whole of store.wholeExchanges(session.id)) expect(whole.request).toMatchObject({ model: 'm' });
  }
  store.dispose();
});
