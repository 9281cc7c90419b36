import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ReaderThread } from '../../../../server/traces/reader/readerThread.ts';
import { temporaryDirectory } from '../../../temporary.ts';

/** A reader whose thread does what `reading`, the text of a function, does with a message and its port. */
function aReader(reading: string, idleMs?: number) {
  const directory = temporaryDirectory();
  const started = join(directory, 'started');
  const workerFile = join(directory, 'reader.cjs');
  writeFileSync(
    workerFile,
    `const { parentPort: port } = require('node:worker_threads');
     const fs = require('node:fs');
     fs.appendFileSync(${JSON.stringify(started)}, '.');
     port.on('message', message => (${reading})(message, port, ${JSON.stringify(directory)}));`,
  );
  const reader = new ReaderThread({
    workerFile,
    tracesDb: join(directory, 'traces.sqlite3'),
    codexDirectories: [],
    ...(idleMs === undefined ? {} : { idleMs }),
  });
  onTestFinished(() => reader.dispose());
  const threads = () => (existsSync(started) ? readFileSync(started, 'utf8').length : 0);
  return { reader, threads, directory };
}

const echo = `({ kind, id, name, params }, port) => {
  if (kind === 'read') port.postMessage({ kind: 'result', id, result: { name, params } });
  if (kind === 'end') port.close();
}`;

describe('the reader’s thread', () => {
  it('starts with the first reading, answers each, and ends when nothing is asked for a while', async () => {
    const { reader, threads } = aReader(echo, 50);
    expect(threads()).toBe(0);
    const asked = ['a', 'b'].map(sessionId => reader.read('show', { sessionId }));
    expect(await Promise.all(asked)).toEqual([
      { name: 'show', params: { sessionId: 'a' } },
      { name: 'show', params: { sessionId: 'b' } },
    ]);
    expect(threads()).toBe(1);
    await vi.waitFor(
      async () => {
        await new Promise(resolve => setTimeout(resolve, 100));
        await reader.read('show', { sessionId: 'c' });
        expect(threads()).toBeGreaterThan(1);
      },
      { timeout: 10_000 },
    );
  });

  it('says that a reading crashed, and reads the next with a new thread', async () => {
    const { reader, threads } = aReader(`({ kind, id, params }, port) => {
      if (params?.sessionId === 'bad') throw new Error('out of paper');
      if (kind === 'read') port.postMessage({ kind: 'result', id, result: 'read' });
    }`);
    const both = [reader.read('summary', { sessionId: 'bad' }), reader.read('summary', { sessionId: 'behind it' })];
    // The second may have been answered by nobody: its thread is gone.
    for (const outcome of await Promise.allSettled(both)) {
      expect(outcome).toMatchObject({
        reason: { code: 'internal', message: 'The session could not be read: out of paper.' },
      });
    }
    expect(await reader.read('summary', { sessionId: 'good' })).toBe('read');
    expect(threads()).toBe(2);
  });

  it('passes on what a reading says is wrong', async () => {
    const { reader } = aReader(`({ id }, port) =>
      port.postMessage({ kind: 'failed', id, error: { code: 'session.missing', message: 'No.', hint: 'Look.' } })`);
    await expect(reader.read('show', { sessionId: 'a' })).rejects.toMatchObject({
      code: 'session.missing',
      hint: 'Look.',
    });
  });

  it('lets go of a reading that is cancelled, and tells its thread', async () => {
    const { reader, directory } = aReader(`({ kind, id, params }, port, directory) => {
      if (kind === 'cancel') fs.writeFileSync(directory + '/cancelled', String(id));
      if (params?.sessionId === 'next') port.postMessage({ kind: 'result', id, result: 'read' });
    }`);
    const controller = new AbortController();
    const endless = reader.read('show', { sessionId: 'endless' }, controller.signal);
    controller.abort();
    await expect(endless).rejects.toMatchObject({ name: 'AbortError' });
    expect(await reader.read('show', { sessionId: 'next' })).toBe('read');
    expect(readFileSync(join(directory, 'cancelled'), 'utf8')).toBe('1');
    await expect(reader.read('show', { sessionId: 'next' }, controller.signal)).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  it('ends what is being read when the server does', async () => {
    const { reader } = aReader('() => undefined');
    const endless = reader.read('show', { sessionId: 'a' });
    const ended = expect(endless).rejects.toMatchObject({ code: 'cancelled' });
    await reader.dispose();
    await ended;
    await expect(reader.read('show', { sessionId: 'a' })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
