import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { databaseHealth } from '../../../server/base/databaseHealth.ts';
import { takeLock } from '../../../server/base/lock.ts';
import { openDatabase, storageFault } from '../../../server/base/sqlite.ts';
import { temporaryDirectory } from '../../temporary.ts';

const migrations = ['CREATE TABLE a (id INTEGER PRIMARY KEY)', 'ALTER TABLE a ADD COLUMN name TEXT'];

it('brings an older schema up to date and keeps its rows', () => {
  const file = join(temporaryDirectory(), 'x.sqlite3');
  const old = openDatabase(file, { migrations: migrations.slice(0, 1), synchronous: 'NORMAL' });
  old.exec('INSERT INTO a (id) VALUES (7)');
  old.close();
  const now = openDatabase(file, { migrations, synchronous: 'NORMAL' });
  expect(now.prepare('SELECT id, name FROM a').all()).toEqual([{ id: 7, name: null }]);
  expect(now.pragma('journal_mode', { simple: true })).toBe('wal');
  now.close();
});

it('refuses a newer schema and changes nothing', () => {
  const file = join(temporaryDirectory(), 'x.sqlite3');
  openDatabase(file, { migrations, synchronous: 'FULL' }).close();
  const before = statSync(file).size;
  expect(() => openDatabase(file, { migrations: [], synchronous: 'FULL' })).toThrow(/newer Codex Coach/);
  expect(statSync(file).size).toBe(before);
});

it('leaves the schema as it was when a migration fails', () => {
  const file = join(temporaryDirectory(), 'x.sqlite3');
  openDatabase(file, { migrations: migrations.slice(0, 1), synchronous: 'FULL' }).close();
  expect(() => openDatabase(file, { migrations: [...migrations, 'NO SUCH SQL'], synchronous: 'FULL' })).toThrow();
  const database = openDatabase(file, { migrations: migrations.slice(0, 1), synchronous: 'FULL' });
  expect(database.pragma('user_version', { simple: true })).toBe(1);
  database.close();
});

it('calls damaged what has the number of a schema and not its tables, and does not bring it up to date', () => {
  const file = join(temporaryDirectory(), 'x.sqlite3');
  openDatabase(file, { migrations: ['CREATE TABLE a (other TEXT)'], synchronous: 'FULL' }).close();
  const fault = faultOf(() => openDatabase(file, { migrations, synchronous: 'FULL' }));
  expect([storageFault(fault), (fault as Error).message]).toEqual(['damaged', expect.stringContaining('no a.id, as')]);
  expect(databaseHealth(file, migrations)).toMatchObject({ fault: 'it has no a.id, as schema 1 has', schema: 1 });
});

it('leaves alone what others added', () => {
  const file = join(temporaryDirectory(), 'x.sqlite3');
  const mine = openDatabase(file, { migrations: migrations.slice(0, 1), synchronous: 'FULL' });
  mine.exec('ALTER TABLE a ADD COLUMN theirs; CREATE TABLE theirs (x); ANALYZE');
  mine.close();
  openDatabase(file, { migrations, synchronous: 'FULL' }).close();
  expect(databaseHealth(file, migrations)).toMatchObject({ fault: null, schema: 2 });
});

it('says of a damaged file that it is damaged, not that it takes nothing', () => {
  const file = join(temporaryDirectory(), 'x.sqlite3');
  writeFileSync(file, 'rubbish '.repeat(1000));
  const fault = faultOf(() => openDatabase(file, { migrations, synchronous: 'FULL' }));
  expect([storageFault(fault), (fault as Error).message]).toEqual(['damaged', expect.stringContaining('is damaged: ')]);
});

function faultOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}

it('gives a lock to one holder at a time and leaves no stray file', () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'server.lock');
  const held = takeLock(file);
  expect(held).not.toBeNull();
  expect(takeLock(file)).toBeNull();
  held?.release();
  const again = takeLock(file);
  expect(again).not.toBeNull();
  again?.release();
  expect(readdirSync(directory)).toEqual(['server.lock']);
});
