import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { coachPaths } from '../../../server/base/paths.ts';
import { checkDatabase } from '../../../server/setup/checks/database.ts';
import type { Examined } from '../../../server/setup/finding.ts';
import { traceMigrations } from '../../../server/traces/schema.ts';
import { temporaryDirectory } from '../../temporary.ts';

async function found(version: number, change = '') {
  const paths = coachPaths({ HOME: temporaryDirectory() });
  mkdirSync(dirname(paths.tracesDb), { recursive: true });
  const database = new Database(paths.tracesDb);
  for (const migration of traceMigrations.slice(0, version)) database.exec(migration);
  database.exec(change);
  database.pragma(`user_version = ${version}`);
  database.close();
  return checkDatabase({ paths } as Examined);
}

it('calls a database sound, also one of an earlier schema', async () => {
  for (const version of [1, 4, traceMigrations.length]) {
    expect(await found(version)).toMatchObject([{ level: 'ok', what: expect.stringContaining(`schema ${version}.`) }]);
  }
});

it('calls one broken that has the number of a schema and not its tables', async () => {
  expect(await found(2, 'DROP TABLE losses')).toMatchObject([
    { level: 'broken', what: 'Damaged: it has no losses, as schema 2 has' },
  ]);
  expect(await found(4, 'ALTER TABLE sessions DROP COLUMN purpose')).toMatchObject([
    { level: 'broken', what: 'Damaged: it has no sessions.purpose, as schema 4 has' },
  ]);
});
