import {
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { StorageNews } from '../../../../server/traces/recorder/storageNews.ts';
import { TraceStorage } from '../../../../server/traces/recorder/traceStorage.ts';
import { Redactor } from '../../../../server/traces/redaction/redaction.ts';
import { traceMigrations } from '../../../../server/traces/schema.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { anOrigin, aRecorder, aReply, said, sse, wireOf } from '../recordedTraffic.ts';

type Recorder = ReturnType<typeof aRecorder>;

const traffic = (text: string) => ({
  request: { model: 'm', input: [said('user', `${text} ${'and more '.repeat(40)}`)] },
  response: aReply([]),
  headers: { 'thread-id': 'a' },
});

const warningsOf = ({ events }: Recorder) => [
  ...new Set(events.flatMap(event => (event.kind === 'storage' ? [event.reason] : []))),
];

const losses = ({ events }: Recorder) => events.filter(event => event.kind === 'uncaptured');

/** As `record`, without waiting for the exchange to be stored. */
function send({ accept }: Recorder, text: string, connection: number) {
  const { up, down } = wireOf(traffic(text));
  accept({ kind: 'open', connection, origin: anOrigin() });
  accept({ kind: 'bytes', connection, direction: 'up', bytes: up, atMs: Date.now() });
  accept({ kind: 'bytes', connection, direction: 'down', bytes: down, atMs: Date.now() });
  accept({ kind: 'close', connection, atMs: Date.now() });
}

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500 && !condition(); attempt++) await sleep(20);
  expect(condition()).toBe(true);
}

const stored = ({ events }: Recorder) => events.filter(event => event.kind === 'exchange').length;
const exchanges = ({ store }: Recorder) => store.session('a')?.exchanges ?? 0;

function isWhole(file: string): boolean {
  const database = new Database(file, { readonly: true });
  const answer = database.pragma('integrity_check', { simple: true });
  database.close();
  return answer === 'ok';
}

describe('a database that another program keeps locked', () => {
  it('changes nothing in what a reply that was cut short has used, or in which try it was', async () => {
    const recorder = aRecorder();
    const other = new Database(recorder.file);
    other.exec('BEGIN IMMEDIATE');
    const usage = { input_tokens: 1000, output_tokens: 500 };
    const response = sse({
      type: 'response.incomplete',
      response: { id: 'resp_cut', output: [], usage, incomplete_details: { reason: 'max_output_tokens' } },
    });
    const { up, down } = wireOf({ ...traffic('cut'), response });
    recorder.accept({ kind: 'open', connection: 1, origin: anOrigin() });
    recorder.accept({ kind: 'bytes', connection: 1, direction: 'up', bytes: up, atMs: Date.now() });
    recorder.accept({ kind: 'bytes', connection: 1, direction: 'down', bytes: down, atMs: Date.now() });
    for (let flush = 0; flush < 3; flush++) recorder.accept({ kind: 'flush', id: flush });
    other.exec('ROLLBACK');
    other.close();
    await until(() => exchanges(recorder) === 1);
    expect(recorder.store.exchangesOfSession('a')).toMatchObject([
      { attempt: 1, usage: { inputTokens: 1000, outputTokens: 500 } },
    ]);
  });

  it('is written when the lock is gone: nothing is lost, one warning is given, later exchanges read well', async () => {
    const recorder = aRecorder();
    recorder.record(traffic('before'));
    const other = new Database(recorder.file);
    other.exec('BEGIN IMMEDIATE');
    for (let n = 0; n < 5; n++) send(recorder, `meanwhile ${n}`, 100 + n);
    expect([stored(recorder), exchanges(recorder)]).toEqual([1, 1]);
    expect(warningsOf(recorder)).toEqual([expect.stringContaining('locked')]);
    other.exec('ROLLBACK');
    other.close();
    await until(() => stored(recorder) === 6);
    recorder.record(traffic('after'));
    expect(exchanges(recorder)).toBe(7);
    expect(recorder.events.findLast(event => event.kind === 'storage')).toMatchObject({ fault: 'locked', over: true });
    expect(losses(recorder)).toEqual([]);
    const texts = recorder.store.conversation('a').map(item => item.text.slice(0, 12));
    expect(texts.filter(text => text.startsWith('meanwhile'))).toHaveLength(5);
    expect(warningsOf(recorder)).toHaveLength(1);
  });
});

describe('a database file that is deleted or replaced while it is in use', () => {
  it('goes on in a new one, whole, and readers see that one', () => {
    const recorder = aRecorder();
    recorder.record(traffic('before'));
    rmSync(recorder.file);
    recorder.record(traffic('after'));
    recorder.record(traffic('and later'));
    expect(warningsOf(recorder)).toEqual([expect.stringContaining('deleted or replaced')]);
    expect(exchanges(recorder)).toBe(2);
    expect(recorder.store.conversation('a').map(item => item.text.slice(0, 5))).toEqual(['after', 'and l']);
    recorder.stop();
    expect(isWhole(recorder.file)).toBe(true);
  });

  it('does not mix the old journal into a database that was put in its place', () => {
    const other = aRecorder();
    for (let n = 0; n < 3; n++) other.record(traffic(`other ${n}`));
    other.stop();
    other.store.dispose();
    const recorder = aRecorder();
    for (let n = 0; n < 20; n++) recorder.record(traffic(`mine ${n}`));
    copyFileSync(other.file, `${recorder.file}.new`);
    renameSync(`${recorder.file}.new`, recorder.file);
    recorder.record(traffic('after'));
    expect(exchanges(recorder)).toBe(4);
    recorder.stop();
    expect(isWhole(recorder.file)).toBe(true);
  });

  it('leaves a database whole that is moved away', () => {
    const recorder = aRecorder();
    for (let n = 0; n < 3; n++) recorder.record(traffic(`before ${n}`));
    const moved = join(temporaryDirectory(), 'moved.sqlite3');
    renameSync(recorder.file, moved);
    recorder.record(traffic('after'));
    expect(exchanges(recorder)).toBe(1);
    const database = new Database(moved, { readonly: true });
    expect(database.prepare('SELECT count(*) FROM exchanges').pluck().get()).toBe(3);
    database.close();
    expect(isWhole(moved)).toBe(true);
  });

  it('makes its directory again when all of it is gone', () => {
    const recorder = aRecorder();
    recorder.record(traffic('before'));
    rmSync(recorder.directory, { recursive: true });
    recorder.record(traffic('after'));
    expect(exchanges(recorder)).toBe(1);
  });
});

describe('a damaged database', () => {
  it.each([
    ['from its first byte', 0],
    ['somewhere inside', 8192],
  ])('%s is set aside as it is, and recording goes on in a new one', async (_where, position) => {
    const first = aRecorder();
    for (let n = 0; n < 30; n++) first.record(traffic(`before ${n}`));
    first.stop();
    first.store.dispose();
    const database = openSync(first.file, 'r+');
    writeSync(database, Buffer.alloc(60_000, 'rubbish '), 0, 60_000, position);
    closeSync(database);
    const damaged = readFileSync(first.file);
    const recorder = aRecorder(120_000, first.directory);
    send(recorder, 'after', 50);
    await until(() => stored(recorder) === 1);
    await until(() => warningsOf(recorder).length === 1);
    expect(warningsOf(recorder)).toEqual([expect.stringContaining('.damaged-')]);
    const [kept = ''] = readdirSync(first.directory).filter(name => /\.damaged-\w+$/.test(name));
    expect(readFileSync(join(first.directory, kept)).subarray(position, 60_000)).toEqual(
      damaged.subarray(position, 60_000),
    );
    expect(exchanges(recorder)).toBe(1);
    recorder.stop();
    expect(isWhole(recorder.file)).toBe(true);
  });
});

describe('a database that is cut while it is in use', () => {
  const anOpenOne = () => {
    const recorder = aRecorder();
    for (let n = 0; n < 30; n++) recorder.record(traffic(`before ${n} ${Math.random().toString(36).repeat(300)}`));
    return recorder;
  };

  it.each([
    ['to nothing', 0],
    ['in the middle', 40_960],
  ])('%s, is set aside, and recording goes on in a new one', async (_where, bytes) => {
    const recorder = anOpenOne();
    checkpoint(recorder.file);
    recorder.record(traffic('seen whole'));
    truncateSync(recorder.file, bytes);
    for (let n = 0; n < 3; n++) send(recorder, `after ${n}`, 500 + n);
    await until(() => stored(recorder) === 34);
    expect(warningsOf(recorder)).toEqual([expect.stringContaining('.damaged-')]);
    expect(exchanges(recorder)).toBe(3);
    recorder.stop();
    expect(isWhole(recorder.file)).toBe(true);
  });

  it('is taken for that also where a smaller one was copied into it', async () => {
    const other = aRecorder();
    other.record(traffic('other'));
    other.stop();
    const recorder = anOpenOne();
    checkpoint(recorder.file);
    recorder.record(traffic('seen whole'));
    writeFileSync(recorder.file, readFileSync(other.file));
    send(recorder, 'after', 500);
    await until(() => stored(recorder) === 32);
    expect([warningsOf(recorder).length, exchanges(recorder)]).toEqual([1, 1]);
  });

  it('takes nothing for a cut that only makes it smaller', async () => {
    const recorder = anOpenOne();
    const noise = Array.from({ length: 60 }, () => Math.random().toString(36).repeat(2000));
    for (const text of noise) recorder.record({ ...traffic(text), headers: { 'thread-id': 'large' } });
    checkpoint(recorder.file);
    const before = statSync(recorder.file).size;
    recorder.record(traffic('between'));
    await recorder.upkeep({ kind: 'prune', selection: { kind: 'sessions', ids: ['large'] } });
    recorder.record(traffic('after'));
    checkpoint(recorder.file);
    recorder.record(traffic('and later'));
    const other = new Database(recorder.file);
    other.exec('VACUUM');
    other.close();
    checkpoint(recorder.file);
    recorder.record(traffic('and last'));
    expect(statSync(recorder.file).size).toBeLessThan(before);
    expect([warningsOf(recorder), exchanges(recorder)]).toEqual([[], 34]);
  });

  function checkpoint(file: string) {
    const other = new Database(file);
    other.pragma('wal_checkpoint(TRUNCATE)');
    other.close();
  }
});

describe('a database of a schema that was never released', () => {
  it('is set aside as it is, and recording goes on in a new one', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'traces.sqlite3');
    const old = new Database(file);
    for (const migration of traceMigrations.slice(0, 2)) old.exec(migration);
    old.exec('DROP TABLE losses; PRAGMA user_version = 2');
    old.close();
    const before = readFileSync(file);
    const recorder = aRecorder(120_000, directory);
    recorder.record(traffic('after'));
    await until(() => warningsOf(recorder).length === 1);
    expect(warningsOf(recorder)).toEqual([expect.stringContaining('.damaged-')]);
    const [kept = ''] = readdirSync(directory).filter(name => /\.damaged-\w+$/.test(name));
    const database = new Database(join(directory, kept), { readonly: true });
    expect(database.pragma('user_version', { simple: true })).toBe(2);
    database.close();
    expect([before.length, exchanges(recorder)]).toEqual([readFileSync(join(directory, kept)).length, 1]);
  });
});

describe('a disk that takes nothing', () => {
  const sideRequest = {
    atMs: 1,
    kind: 'models' as const,
    method: 'GET',
    path: '/v1/models',
    status: 200,
    sizeBytes: 1,
  };

  function aStorage() {
    const warnings: string[] = [];
    const file = join(temporaryDirectory(), 'traces.sqlite3');
    const options = {
      file,
      redactor: new Redactor(),
      idleMs: 1000,
      faulted: ({ reason, over }: StorageNews) => void warnings.push(over ? `over: ${reason}` : reason),
      lost: (count: number, reason: string) => void warnings.push(`${count} lost: ${reason}`),
    };
    const storage = new TraceStorage(options);
    let isOpen = true;
    const close = () => {
      if (isOpen) storage.close();
      isOpen = false;
    };
    onTestFinished(close);
    const pragma = (text: string) => storage.whenSound(({ writer }) => writer.database.pragma(text));
    const write = (path: string, sizeBytes = 100) =>
      storage.write(sizeBytes, ({ writer }) => {
        writer.side('h', { ...sideRequest, path });
        return undefined;
      });
    const rows = () => {
      const database = new Database(file, { readonly: true });
      const count = database.prepare('SELECT coalesce(sum(requests), 0) FROM side_traffic').pluck().get();
      database.close();
      return count;
    };
    return { storage, warnings, pragma, write, rows, close };
  }

  it.each([
    ['because it is full', 'max_page_count = 1', 'max_page_count = 1000000', 'full'],
    ['because it is read-only', 'query_only = ON', 'query_only = OFF', "can't be written"],
  ])('%s, gets what waited once it takes something again', async (_why, broken, mended, words) => {
    const { storage, warnings, write, rows } = aStorage();
    // As the disk would: on the connection that writes.
    let writer: Database.Database | undefined;
    storage.whenSound(opened => {
      writer = opened.writer.database;
    });
    writer?.pragma(broken);
    for (let n = 0; n < 40; n++) write(`/${n}/${'long'.repeat(200)}`);
    expect(rows()).toBeLessThan(40);
    expect(warnings).toEqual([expect.stringContaining(words)]);
    writer?.pragma(mended);
    await until(() => rows() === 40);
    expect(warnings).toEqual([expect.stringContaining(words), `over: ${warnings[0]}`]);
  });

  it('keeps what fits into memory, and tells how much was lost', () => {
    const { storage, warnings, write, rows } = aStorage();
    let writer: Database.Database | undefined;
    storage.whenSound(opened => {
      writer = opened.writer.database;
    });
    writer?.pragma('query_only = ON');
    for (let n = 0; n < 10; n++) write(`/${n}`, 10 * 1024 * 1024);
    writer?.pragma('query_only = OFF');
    storage.retry();
    expect(rows()).toBe(6);
    expect(warnings.slice(1)).toEqual([expect.stringMatching(/^4 lost/), expect.stringMatching(/^over: /)]);
  });
});
