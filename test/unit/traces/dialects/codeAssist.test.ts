import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { ItemStore } from '../../../../server/traces/storage/items.ts';
import type { TraceStore } from '../../../../server/traces/store.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { anOrigin, aRecorder } from '../recordedTraffic.ts';

const origin = anOrigin({ host: 'cloudcode-pa.googleapis.com' });
const user = (text: string) => ({ role: 'user', parts: [{ text }] });
const model = (text: string) => ({ role: 'model', parts: [{ text }] });
const systemInstruction = user('Be brief. '.repeat(60));
const wrap = (contents: readonly object[]) => ({
  model: 'gemini-2.5-pro',
  project: 'p',
  request: { contents, systemInstruction, session_id: 's', generationConfig: { temperature: 0 } },
});

/** Google's Code Assist, by which Gemini CLI asks for people who logged in: a request of the Gemini API, wrapped. */
function ask(
  record: ReturnType<typeof aRecorder>['record'],
  contents: readonly object[],
  answer: string,
  atMs: number,
) {
  const response = { response: { candidates: [{ content: model(answer), finishReason: 'STOP' }] } };
  const traffic = { path: '/v1internal:generateContent' };
  return record({ ...traffic, request: wrap(contents), response: JSON.stringify(response) }, atMs, origin);
}

async function find(store: TraceStore, word: string): Promise<string[]> {
  for (let attempt = 0; attempt < 500 && store.search(word, 20).length === 0; attempt++) await sleep(10);
  return store.search(word, 20).map(hit => hit.snippet);
}

const count = (file: string, table: string) => {
  const database = new Database(file, { readonly: true });
  const rows = database.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  database.close();
  return rows;
};

it('what is asked through Code Assist can be searched, is stored once, byte for byte, and deleted whole', async () => {
  const { record, store, file, upkeep } = aRecorder();
  const contents: object[] = [];
  const turns = 40;
  for (let turn = 0; turn < turns; turn++) {
    contents.push(user(`Where is zebra${turn}? ${'noise '.repeat(100)}`));
    ask(record, contents, `By wombat${turn}. ${'noise '.repeat(100)}`, 1000 + turn);
    contents.push(model(`By wombat${turn}. ${'noise '.repeat(100)}`));
  }
  expect(await find(store, 'zebra7')).toEqual([expect.stringContaining('«zebra7»')]);
  expect(await find(store, 'wombat7')).toEqual([expect.stringContaining('«wombat7»')]);
  expect(store.conversation('s')).toHaveLength(1 + 2 * turns);
  const last = store.exchangesOfSession('s').at(-1);
  const sent = wrap(contents.slice(0, -1));
  expect(store.wireText(last?.id ?? '')).toMatchObject({ request: JSON.stringify(sent), requestExact: true });
  expect(store.wholeExchange(last?.id ?? '')?.request).toEqual(sent);
  // Of each turn its list, its question, its answer and that as it is asked back; and the instructions.
  expect(count(file, 'item_uses')).toBeLessThanOrEqual(4 * turns + 1);
  await upkeep({ kind: 'prune', selection: { kind: 'all' } });
  expect(['items', 'item_hashes', 'item_uses', 'said'].map(table => count(file, table))).toEqual([0, 0, 0, 0]);
});

it('a session whose requests were stored whole, as they once were, is read and goes on', () => {
  const directory = temporaryDirectory();
  const before = aRecorder(1000, directory);
  const contents = [user(`First ${'noise '.repeat(100)}`)];
  ask(before.record, contents, 'One', 1000);
  before.stop();
  const database = new Database(before.file);
  const items = new ItemStore(database);
  const { request, ...rest } = wrap(contents);
  const stored = { ...rest, request: { $item: items.put(JSON.stringify(request)) } };
  items.flush();
  database.prepare('UPDATE exchanges SET request_head = NULL, request_json = ?').run(JSON.stringify(stored));
  database.close();
  const { record, store } = aRecorder(1000, directory);
  const longer = [...contents, model('One'), user('Second')];
  ask(record, longer, 'Two', 2000);
  expect([...store.wholeExchanges('s')].map(whole => whole.request)).toEqual([wrap(contents), wrap(longer)]);
  expect(store.conversation('s').map(({ kind, text }) => [kind, text.split(' ', 1)[0]])).toEqual([
    ['system', 'Be'],
    ['user', 'First'],
    ['assistant', 'One'],
    ['user', 'Second'],
    ['assistant', 'Two'],
  ]);
});
