import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLog } from '../../../../server/base/log.ts';
import { startRecorder } from '../../../../server/traces/recorder/recorder.ts';
import { TraceStore } from '../../../../server/traces/store.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { anOrigin, aReply, feed, said } from '../recordedTraffic.ts';

it('hides the tokens of launches that go on or have just ended, and forgets the others', async () => {
  const file = join(temporaryDirectory(), 'traces.sqlite3');
  const recorder = await startRecorder({ file, workerFile: null, idleSeconds: 120, log: silentLog });
  const tokens = Array.from({ length: 80 }, (_, index) => `token of launch ${index}.`);
  recorder.hide('a key that stays');
  for (const token of tokens) recorder.hideToken(token);
  for (const token of tokens.slice(1)) recorder.endToken(token);
  feed(recorder.tap(anOrigin()), {
    request: {
      model: 'm',
      input: [tokens[0], tokens[1], tokens[79], 'a key that stays'].map(text => ({
        type: 'message',
        role: 'user',
        content: [{ type: 'input_text', text }],
      })),
    },
    response: aReply([]),
    headers: { 'thread-id': 'one' },
  });
  await recorder.flush();
  await recorder.dispose();
  const store = new TraceStore(file);
  expect(store.conversation('one').map(item => item.text)).toEqual([
    '[redacted]',
    'token of launch 1.',
    '[redacted]',
    '[redacted]',
  ]);
  store.dispose();
});

it('does not take a key for the id of a conversation', async () => {
  const file = join(temporaryDirectory(), 'traces.sqlite3');
  const recorder = await startRecorder({ file, workerFile: null, idleSeconds: 120, log: silentLog });
  const [key, known] = [`sk-${'a1b2c3'.repeat(6)}`, 'no-shape-at-all'];
  recorder.hide(known);
  for (const id of [key, known]) {
    const request = { model: 'm', prompt_cache_key: id, input: 'x' };
    feed(recorder.tap(anOrigin()), { request, response: aReply([]) });
  }
  await recorder.flush();
  await recorder.dispose();
  const store = new TraceStore(file);
  const rows = store.newest({ limit: 5 }).rows;
  expect(rows.reduce((sum, { exchanges }) => sum + exchanges, 0)).toBe(2);
  expect(JSON.stringify(rows)).not.toMatch(/sk-a1b2|no-shape/);
  store.dispose();
});

it('hides the key of a request in that exchange and in those after it, and tells it to others', async () => {
  const file = join(temporaryDirectory(), 'traces.sqlite3');
  const recorder = await startRecorder({ file, workerFile: null, idleSeconds: 120, log: silentLog });
  const told: string[] = [];
  recorder.onCredential(value => told.push(value));
  const key = 'no.shape.at.all.but.long';
  const say = (id: string, headers: object) =>
    feed(recorder.tap(anOrigin()), {
      request: { model: 'm', input: [said('user', `my key is ${key}`)] },
      response: aReply([said('assistant', `It is ${key}, or ollama.`)]),
      headers: { 'thread-id': id, ...headers },
    });
  say('before', { authorization: 'Bearer ollama' });
  say('one', { authorization: `Bearer ${key}` });
  say('two', { 'x-api-key': key });
  await recorder.flush();
  recorder.forget(key);
  say('forgotten', {});
  await recorder.flush();
  await recorder.dispose();
  const store = new TraceStore(file);
  const texts = (id: string) => store.conversation(id).map(item => item.text);
  expect(texts('before')).toEqual([`my key is ${key}`, `It is ${key}, or ollama.`]);
  for (const id of ['one', 'two']) expect(texts(id)).toEqual(['my key is [redacted]', 'It is [redacted], or ollama.']);
  expect(store.session('one')?.title).toBe('my key is [redacted]');
  expect(told).toEqual([key]);
  store.dispose();
});
