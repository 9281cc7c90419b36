import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { silentLog } from '../../../server/base/log.ts';
import { type Recorder, startRecorder } from '../../../server/traces/recorder/recorder.ts';
import type { RecorderEvent } from '../../../server/traces/recorder/recorderMessages.ts';
import { TraceStore } from '../../../server/traces/store.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { anOrigin, feed, sse, wireOf } from '../../unit/traces/recordedTraffic.ts';
import { buildWorker } from './builtWorker.ts';

const entry = 'server/traces/recorder/recorderWorker.ts';

async function start(
  workerFile: string,
  file: string,
  times: { restMs?: number; hangMs?: number } = {},
): Promise<{ recorder: Recorder; events: RecorderEvent[] }> {
  const recorder = await startRecorder({ file, workerFile, idleSeconds: 120, log: silentLog, ...times });
  const events: RecorderEvent[] = [];
  recorder.onEvent(event => void events.push(event));
  return { recorder, events };
}

describe('the recorder in its worker thread', () => {
  it('stores what it is handed, reports it, and keeps it when it stops', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'traces.sqlite3');
    const { recorder, events } = await start(await buildWorker(directory, entry), file);
    recorder.hide('a-known-secret');
    feed(recorder.tap(anOrigin()), {
      request: { model: 'gpt-5.5', input: 'say a-known-secret' },
      response: sse({
        type: 'response.completed',
        response: { id: 'r', output: [], usage: { input_tokens: 1, output_tokens: 2 } },
      }),
    });
    await recorder.flush();
    expect(events.map(event => event.kind)).toEqual(expect.arrayContaining(['exchange', 'session']));
    await recorder.dispose();
    const store = new TraceStore(file);
    const [session] = store.newest({ limit: 1 }).rows;
    expect(session).toMatchObject({ exchanges: 1, models: ['gpt-5.5'], usage: { inputTokens: 1, outputTokens: 2 } });
    expect(session?.title).toBe('say [redacted]');
    store.dispose();
  });

  it('needs no thread until there is something to record', async () => {
    const directory = temporaryDirectory();
    const { recorder, events } = await start(join(directory, 'missing.cjs'), join(directory, 'traces.sqlite3'));
    recorder.hide('a-known-secret');
    await recorder.flush();
    expect(events).toEqual([]);
    recorder.tap(anOrigin());
    await expect.poll(() => events.map(({ kind }) => kind)).toContain('uncaptured');
    await recorder.dispose();
  });

  it('starts with a new database when the one that was there is damaged, which is kept', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'traces.sqlite3');
    writeFileSync(file, 'no database at all, but long enough to be taken for one'.repeat(100));
    const { recorder, events } = await start(await buildWorker(directory, entry), file);
    await expect
      .poll(() => events)
      .toEqual([expect.objectContaining({ kind: 'storage', fault: 'damaged', over: true })]);
    new TraceStore(file).dispose();
    expect(readdirSync(directory).filter(name => name.includes('.damaged-'))).toHaveLength(1);
    await recorder.dispose();
  });

  it('says why it cannot start', async () => {
    const directory = temporaryDirectory();
    const worker = await buildWorker(directory, entry);
    const file = join(directory, 'traces.sqlite3');
    mkdirSync(file);
    await expect(start(worker, file)).rejects.toMatchObject({ code: 'disk.readOnly' });
  });

  it('goes on with the next connections when its thread has died, and still hides what it was told', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'traces.sqlite3');
    const { recorder, events } = await start(await once(directory, 'die', "throw new Error('no more');"), file);
    recorder.hide('a-known-secret');
    const lost = recorder.tap(anOrigin());
    lost.bytes('up', Buffer.from('die\r\n'));
    const stopped = expect.objectContaining({ kind: 'uncaptured', reason: 'The recorder stopped: no more' });
    await vi.waitFor(() => expect(events).toContainEqual(stopped), 10_000);
    lost.bytes('up', Buffer.from('of no use any more'));
    lost.bytes('down', Buffer.from('nor this'));
    const next = wireOf({
      request: { model: 'gpt-5.5', input: 'on the connection that was open' },
      response: sse({ type: 'response.completed', response: { id: 's', output: [] } }),
      headers: { 'thread-id': 'open' },
    });
    lost.bytes('up', Buffer.from(next.up.toString().replace('Host: x', 'Host: api.openai.com')));
    lost.bytes('down', next.down);
    lost.close();
    // While there is no thread at all.
    feed(recorder.tap(anOrigin()), {
      request: { model: 'gpt-5.5', input: 'say a-known-secret' },
      response: sse({ type: 'response.completed', response: { id: 'r', output: [] } }),
    });
    await recorder.flush();
    await recorder.dispose();
    const store = new TraceStore(file);
    expect(store.session('open')).toMatchObject({ exchanges: 1 });
    expect(store.newest({ limit: 3 }).rows.map(({ title }) => title)).toContain('say [redacted]');
    expect(store.lossesOnDay(new Date().toISOString().slice(0, 10))).toMatchObject([
      { host: '*', reason: 'The recorder stopped: no more', count: 1 },
    ]);
    store.dispose();
  });

  it('is replaced when it hangs, and the next connection is recorded', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'traces.sqlite3');
    const { recorder, events } = await start(await once(directory, 'hang', 'for (;;);'), file, {
      restMs: 400,
      hangMs: 500,
    });
    const lost = recorder.tap(anOrigin());
    lost.bytes('up', Buffer.from('hang\r\n'));
    lost.close();
    const replaced = expect.objectContaining({
      kind: 'uncaptured',
      reason: expect.stringContaining('more than 0.5 s'),
    });
    await vi.waitFor(() => expect(events).toContainEqual(replaced), 10_000);
    feed(recorder.tap(anOrigin()), {
      request: { model: 'gpt-5.5', input: 'still there' },
      response: sse({ type: 'response.completed', response: { id: 'r', output: [] } }),
    });
    await recorder.flush();
    await recorder.dispose();
    const store = new TraceStore(file);
    expect(store.newest({ limit: 3 }).rows.map(({ title }) => title)).toEqual(['still there']);
    store.dispose();
  });

  it.each([
    ['at its start', '', 'flush'],
    ['over a flush', ready, 'flush'],
    ['over its upkeep', ready, 'upkeep'],
  ] as const)('is replaced when it hangs %s, with nothing to store', async (_, begin, ask) => {
    const { recorder, events } = await start(hangingWorker(begin), aDatabase(), { restMs: 400, hangMs: 500 });
    recorder.prepare();
    if (ask === 'flush') await recorder.flush();
    else await recorder.upkeep({ kind: 'prune', selection: { kind: 'before', atMs: 0 } });
    const reason = expect.stringContaining('more than 0.5 s');
    expect(events).toContainEqual(expect.objectContaining({ kind: 'uncaptured', reason }));
    await recorder.dispose();
  });

  it('is not waited for when the server ends, where it hangs', async () => {
    for (const begin of ['', ready]) {
      const { recorder } = await start(hangingWorker(begin), aDatabase());
      recorder.prepare();
      void recorder.flush();
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      onTestFinished(() => void vi.useRealTimers());
      const disposed = recorder.dispose();
      await vi.advanceTimersByTimeAsync(30_000);
      vi.useRealTimers();
      await disposed;
    }
  });

  it('ends when nothing is recorded any more, and is made anew for the next connection, which it records whole', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'traces.sqlite3');
    const { worker, ends } = await countingItsEnds(directory);
    const { recorder, events } = await start(worker, file, { restMs: 40 });
    recorder.hide('a-known-secret');
    const say = (words: string, tap = recorder.tap(anOrigin())) =>
      feed(tap, {
        request: { model: 'gpt-5.5', input: words },
        response: sse({ type: 'response.completed', response: { id: words, output: [] } }),
        headers: { 'thread-id': words.slice(0, 3) },
      });
    say('one');
    // One that stays open keeps it, however silent it is.
    const open = recorder.tap(anOrigin());
    await sleep(4000);
    expect(ends()).toBe(0);
    open.close();
    await vi.waitFor(() => expect(ends()).toBe(1), 10_000);
    await recorder.flush();
    for (let round = 0; round < 30; round++) {
      // Some of them come just when it ends.
      say(`${100 + round} a-known-secret`);
      await sleep(round < 15 ? 0 : 100);
    }
    await vi.waitFor(() => expect(ends()).toBe(2), 10_000);
    await recorder.dispose();
    const store = new TraceStore(file);
    const titles = store.newest({ limit: 50 }).rows.map(({ title }) => title);
    expect(titles).toHaveLength(31);
    expect(titles.filter(title => title.includes('[redacted]'))).toHaveLength(30);
    expect(store.search('one', 5)).toHaveLength(1);
    expect(events.filter(({ kind }) => kind === 'uncaptured' || kind === 'storage')).toEqual([]);
    store.dispose();
  });

  it('lets traffic and waiters go when no thread can be started any more', async () => {
    const directory = temporaryDirectory();
    const worker = join(directory, 'dying.cjs');
    writeFileSync(
      worker,
      `const { parentPort } = require('node:worker_threads');
       parentPort.postMessage([{ kind: 'ready' }]);
       parentPort.on('message', () => { throw new Error('no more'); });`,
    );
    const { recorder, events } = await start(worker, join(directory, 'traces.sqlite3'));
    for (let round = 1; round <= 3; round++) {
      recorder.tap(anOrigin()).bytes('up', Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      await recorder.flush();
      expect(events.filter(({ kind }) => kind === 'uncaptured')).toHaveLength(round);
    }
    await recorder.dispose();
  });
});

const ready =
  "parentPort.postMessage([{ kind: 'ready' }]); parentPort.on('message', ({ kind }) => kind === 'batch' || hang());";

/** A worker that hangs at its first message that is no batch when it begins with `ready`, else at its start. */
function hangingWorker(begin: string): string {
  const file = join(temporaryDirectory(), 'hanging.cjs');
  const hang = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';
  writeFileSync(
    file,
    `const { parentPort } = require('node:worker_threads'); const hang = () => ${hang}; ${begin || 'hang();'}`,
  );
  return file;
}

const aDatabase = () => join(temporaryDirectory(), 'traces.sqlite3');

/** The worker as built, and how many of its threads have ended. */
async function countingItsEnds(directory: string): Promise<{ worker: string; ends: () => number }> {
  const built = await buildWorker(directory, entry);
  const marks = join(directory, 'ends');
  writeFileSync(marks, '');
  const worker = join(directory, 'counting.cjs');
  writeFileSync(
    worker,
    `process.on('exit', () => require('node:fs').appendFileSync(${JSON.stringify(marks)}, '|'));
     require(${JSON.stringify(built)});`,
  );
  return { worker, ends: () => readFileSync(marks, 'utf8').length };
}

/** The worker as built, but its first thread does something at a word. */
async function once(directory: string, word: string, doing: string): Promise<string> {
  const worker = await buildWorker(directory, entry);
  const marker = join(directory, 'done');
  const failing = join(directory, 'failing.cjs');
  writeFileSync(
    failing,
    `const { parentPort } = require('node:worker_threads');
     const { existsSync, writeFileSync } = require('node:fs');
     parentPort.on('message', ({ kind, bytes }) => {
       if (kind !== 'batch' || existsSync(${JSON.stringify(marker)})) return;
       if (!Buffer.from(bytes).includes(${JSON.stringify(word)})) return;
       writeFileSync(${JSON.stringify(marker)}, '');
       ${doing}
     });
     require(${JSON.stringify(worker)});`,
  );
  return failing;
}
