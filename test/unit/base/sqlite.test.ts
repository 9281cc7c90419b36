import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { takeLock } from '../../../server/base/lock.ts';
import { openDatabase } from '../../../server/base/sqlite.ts';
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
