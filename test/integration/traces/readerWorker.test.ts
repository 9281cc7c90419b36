import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../server/base/clock.ts';
import { CodexSessionFiles } from '../../../server/traces/codexFiles/codexSessionFiles.ts';
import { sessionHandlers } from '../../../server/traces/handlers.ts';
import { readInThisThread } from '../../../server/traces/reader/readerInThisThread.ts';
import { ReaderThread } from '../../../server/traces/reader/readerThread.ts';
import { Redactor } from '../../../server/traces/redaction/redaction.ts';
import { startFakeUpstream } from '../../fakes/upstream.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { aThread, threadId } from '../../unit/traces/codexFiles/aThread.ts';
import { aRecordingWorld } from '../proxy/recordingWorld.ts';
import { buildWorker } from './builtWorker.ts';

const never = new AbortController().signal;
const host = 'api.openai.com';
const entry = 'server/traces/reader/readerWorker.ts';

/** A proxy with an upstream, and the sessions that were recorded of it, read by this worker. */
async function aRecordedWorld(workerFile: string) {
  const world = await aRecordingWorld();
  const upstream = await startFakeUpstream();
  const options = { tracesDb: world.database, codexDirectories: [] };
  const reader = new ReaderThread({ workerFile, ...options });
  const inThisThread = readInThisThread(options);
  onTestFinished(async () => {
    await reader.dispose();
    await inThisThread.dispose();
    await upstream.dispose();
  });
  const sessions = sessionHandlers({
    reader,
    store: world.store,
    files: new CodexSessionFiles([], new Redactor()),
    recorder: world.recorder,
    clock: systemClock,
  });
  const { launch } = await world.open({ overrides: [{ host, target: upstream.origin }] });
  const ask = async (text: string) => {
    const answer = await fetch(`${launch.baseUrl}/responses`, {
      method: 'POST',
      headers: { 'thread-id': 'thread-1', connection: 'close' },
      body: JSON.stringify({ model: 'gpt-5.5', input: [{ role: 'user', content: text }] }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  return { world, sessions, inThisThread, ask };
}

describe('sessions read in a worker thread', () => {
  it('are as they are read in this thread, and so are the errors', async () => {
    const { world, sessions, inThisThread, ask } = await aRecordedWorld(await buildWorker(temporaryDirectory(), entry));
    for (const text of ['SAY one', 'SAY two']) await ask(text);
    await world.recorder.flush();
    const sessionId = 'thread-1';
    const shown = await sessions.show({ sessionId }, never);
    expect(shown.conversation.map(item => item.text)).toEqual(expect.arrayContaining(['one', 'two']));
    expect(shown).toEqual(await inThisThread.read('show', { sessionId }));
    expect(await sessions.summary({ sessionId }, never)).toEqual(await inThisThread.read('summary', { sessionId }));
    for (const format of ['clean', 'atif', 'otlp', 'html'] as const) {
      const request = { sessionId, format, force: false, content: false };
      expect(await sessions.export(request, never)).toEqual(await inThisThread.read('export', request));
    }
    const exchangeId = shown.exchanges[1]?.id ?? '';
    expect(await sessions.changes({ exchangeId }, never)).toEqual(await inThisThread.read('changes', { exchangeId }));
    expect(await sessions.events({ id: exchangeId }, never)).toMatchObject({ requestExact: true });
    expect(await sessions.search({ words: ['two'], limit: 5 }, never)).toEqual(
      await inThisThread.read('search', { words: ['two'], limit: 5 }),
    );
    await expect(sessions.show({ sessionId: 'none' }, never)).rejects.toMatchObject({
      code: 'session.missing',
      hint: expect.stringContaining('sessions list'),
    });
  });

  it('keep what is known to be secret to themselves, also where Codex alone wrote it down', async () => {
    const directory = temporaryDirectory();
    const codexDirectory = join(directory, 'codex');
    mkdirSync(codexDirectory);
    const text = aThread().text().replaceAll('Say hi.', 'Say correct-horse and battery-staple.');
    writeFileSync(join(codexDirectory, `rollout-2026-01-01T00-00-00-${threadId}.jsonl`), text);
    const reader = new ReaderThread({
      workerFile: await buildWorker(directory, entry),
      tracesDb: join(directory, 'traces.sqlite3'),
      codexDirectories: [codexDirectory],
      secrets: ['correct-horse'],
    });
    onTestFinished(() => reader.dispose());
    const exported = async () => {
      const request = { sessionId: threadId, format: 'clean', force: false, content: false };
      return (await reader.read<{ text: string }>('export', request)).text;
    };
    expect(await exported()).toContain('Say [redacted] and battery-staple.');
    reader.hide('battery-staple');
    expect(await exported()).toContain('Say [redacted] and [redacted].');
  });

  it('hold up no agent: a request goes through the proxy while one is being read', async () => {
    const directory = temporaryDirectory();
    const [begun, answered] = [join(directory, 'begun'), join(directory, 'answered')];
    const worker = await buildWorker(directory, entry);
    // Reading takes until the agent has its answer: in the forwarding thread that would be for ever.
    const slow = join(directory, 'slow.cjs');
    writeFileSync(
      slow,
      `const { existsSync, writeFileSync } = require('node:fs');
       require('node:worker_threads').parentPort.on('message', () => {
         writeFileSync(${JSON.stringify(begun)}, '');
         const turn = new Int32Array(new SharedArrayBuffer(4));
         while (!existsSync(${JSON.stringify(answered)})) Atomics.wait(turn, 0, 0, 10);
       });
       require(${JSON.stringify(worker)});`,
    );
    const { world, sessions, ask } = await aRecordedWorld(slow);
    await ask('SAY before');
    await world.recorder.flush();
    const exporting = sessions.export({ sessionId: 'thread-1', format: 'html', force: false, content: false }, never);
    await expect.poll(() => existsSync(begun), { timeout: 20_000 }).toBe(true);
    const { status, text } = await ask('SAY meanwhile');
    expect(existsSync(answered)).toBe(false);
    writeFileSync(answered, '');
    expect([status, text]).toEqual([200, expect.stringContaining('meanwhile')]);
    expect((await exporting).text).toContain('before');
  });

  it('write no file when the export was cancelled while it was put together', async () => {
    const { world, sessions, ask } = await aRecordedWorld(await buildWorker(temporaryDirectory(), entry));
    await ask('SAY one');
    await world.recorder.flush();
    const output = join(world.directory, 'session.html');
    const controller = new AbortController();
    const request = { sessionId: 'thread-1', format: 'html', force: false, content: false, output } as const;
    const exporting = sessions.export(request, controller.signal);
    // By now the worker has been asked.
    await setImmediate();
    controller.abort();
    await expect(exporting).rejects.toMatchObject({ name: 'AbortError' });
    // What is asked for next is answered after it.
    await sessions.show({ sessionId: 'thread-1' }, never);
    expect(existsSync(output)).toBe(false);
    await sessions.export(request, never);
    expect(readFileSync(output, 'utf8')).toContain('one');
  });
});
