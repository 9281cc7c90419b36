import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { sessions } from '../../../../protocol/sessions.ts';
import { Rewording } from '../../../../server/traces/search/rewording.ts';
import { SearchIndex } from '../../../../server/traces/search/searchIndex.ts';
import { saidKey } from '../../../../server/traces/storage/storedParts.ts';
import type { TraceStore } from '../../../../server/traces/store.ts';
import { type PruneSelection, Retention } from '../../../../server/traces/upkeep/retention.ts';
import { aRecorder, aReply, said } from '../recordedTraffic.ts';

async function until(condition: () => boolean) {
  for (let attempt = 0; attempt < 1000 && !condition(); attempt++) await sleep(20);
}

/** What was recorded becomes searchable a moment later. */
async function find(store: TraceStore, words: string, expected: number) {
  await until(() => store.search(words, 20).length >= expected);
  return store.search(words, 20);
}

/** A recorder, and a way to have something said in a session. */
function aSpeaker() {
  const recorder = aRecorder();
  const say = (thread: string, text: string) =>
    recorder.record({
      request: { model: 'm', input: [said('user', text)] },
      response: aReply([]),
      headers: { 'thread-id': thread },
    });
  return { ...recorder, say };
}

it('finds what was asked, answered, called and put out, each once however often it was sent again', async () => {
  const { record, store } = aRecorder();
  const long = 'padding '.repeat(40);
  const call = { type: 'function_call', call_id: 'c1', name: 'shell', arguments: '{"command":"cat zebra.txt"}' };
  const output = { type: 'function_call_output', call_id: 'c1', output: `${long} giraffe in the file` };
  const history: object[] = [said('user', `${long} please find the Elephant’s name`)];
  const headers = { 'thread-id': 'a' };
  for (const added of [[call], [output, said('assistant', 'Its name is Dumbo.')], [said('user', 'thanks')]]) {
    record({
      request: { model: 'm', instructions: 'secretive system words', input: history },
      response: aReply([]),
      headers,
    });
    history.push(...added);
  }
  record({ request: { model: 'm', input: history }, response: aReply([said('assistant', 'Bye, Elephant')]), headers });
  expect(await find(store, 'elephant', 2)).toMatchObject([
    { sessionId: 'a', snippet: 'Bye, «Elephant»' },
    { sessionId: 'a', snippet: expect.stringContaining('please find the «Elephant»’s name') },
  ]);
  expect(store.search('zebra', 20)).toHaveLength(1);
  expect(store.search('GIRAFFE file', 20)).toHaveLength(1);
  expect(store.search('dumbo zebra', 20)).toEqual([]);
  expect(store.search('secretive', 20)).toEqual([]);
});

it('takes quoted words as a phrase and anything else a user types as words', async () => {
  const { say, store } = aSpeaker();
  say('a', 'the quick brown fox');
  say('b', 'the brown quick fox, naïve café-bar (foo_bar) AND "NOT" *');
  expect(await find(store, 'quick fox', 2)).toHaveLength(2);
  expect(store.search('"quick brown"', 20).map(hit => hit.sessionId)).toEqual(['a']);
  for (const words of ['naive cafe-bar', 'foo_bar', 'NOT AND', 'fox* "brown quick', "fox' OR 1=1"]) {
    const isThere = !words.includes('1=1');
    expect([words, store.search(words, 20).map(hit => hit.sessionId)]).toEqual([
      words,
      isThere ? expect.arrayContaining(['b']) : [],
    ]);
  }
});

it('says so where there is no word in what is asked for, and takes no endless one', async () => {
  const { say, store } = aSpeaker();
  say('a', 'All is well 😀');
  await find(store, 'well', 1);
  for (const words of ['', '"*" ()', '😀', '"', '\u200b']) {
    expect(() => store.search(words, 20), words).toThrow(expect.objectContaining({ code: 'input.invalid' }));
  }
  expect(store.search('😀 well', 20)).toHaveLength(1);
  const params = (...words: string[]) => sessions.members.search.params.safeParse({ words });
  expect(params('長'.repeat(1000), '文'.repeat(999)).success).toBe(true);
  expect(params('長'.repeat(1000), '文'.repeat(1000)).error?.issues[0]?.message).toMatch(/at most 2000 characters/);
});

it('finds the words of nameless calls that an older version took in under an empty name', async () => {
  const { record, store, file, stop } = aRecorder();
  const call = { id: '', type: 'function', function: { name: 'shell', arguments: '{"command":"cat zebra.txt"}' } };
  const messages = [
    { role: 'user', content: 'Look' },
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: '', content: 'a giraffe' },
  ];
  const response = '{"choices":[{"message":{"role":"assistant","content":"Seen."}}]}';
  record({ path: '/v1/chat/completions', request: { model: 'm', messages }, response });
  for (const word of ['zebra', 'giraffe']) expect([word, (await find(store, word, 1)).length]).toEqual([word, 1]);
  stop();
  const database = new Database(file);
  for (const kind of ['toolCall', 'toolOutput'] as const) {
    const key = saidKey({ kind, text: '', toolName: null, callId: '' });
    expect(database.prepare('UPDATE said SET key = ? WHERE kind = ?').run(key, kind).changes).toBe(1);
  }
  database.exec(`UPDATE indexed SET unworded_through = (SELECT max(id) FROM said);
    INSERT INTO said_text (said_text) VALUES ('delete-all')`);
  while (new Rewording(database).advance(100));
  database.close();
  for (const word of ['zebra', 'giraffe']) expect([word, store.search(word, 5).length]).toEqual([word, 1]);
});

it('finds in a branched conversation what it took over, and in both what both say', async () => {
  const { record, store } = aRecorder();
  const request = { model: 'm', input: [said('user', 'shared walrus')] };
  record({ request, response: aReply([]), headers: { 'thread-id': 'a' } });
  record({ request, response: aReply([]), headers: { 'thread-id': 'fork' } });
  expect((await find(store, 'walrus', 2)).map(hit => hit.sessionId).sort()).toEqual(['a', 'fork']);
});

it('ranks what is about the words before what only mentions them', async () => {
  const { say, store } = aSpeaker();
  say('about', 'otter otter otter');
  say('aside', `otter ${'and other animals '.repeat(100)}`);
  expect((await find(store, 'otter', 2)).map(hit => hit.sessionId)).toEqual(['about', 'aside']);
});

it('finds words of scripts that put no spaces between them', async () => {
  const { say, store } = aSpeaker();
  say('zh', '请修复退款的四舍五入错误。refund 金额');
  say('ja', '返金の丸め処理を修正しました');
  say('ko', '환불을 고쳐 주세요');
  expect(await find(store, '환불', 1)).toHaveLength(1);
  expect(store.search('退款', 5)).toMatchObject([{ sessionId: 'zh', snippet: expect.stringContaining('«退款»') }]);
  for (const [words, session] of [
    ['修复 refund', 'zh'],
    ['"四舍五入错误"', 'zh'],
    ['返金', 'ja'],
    ['環境', null],
    ['款退', null],
    ['환불', 'ko'],
  ] as const) {
    expect(store.search(words, 5).map(hit => hit.sessionId)).toEqual(session === null ? [] : [session]);
  }
});

it('finds words that SQLite splits where their script joins signs', async () => {
  const { record, store } = aRecorder();
  const text = 'हिन्दी और தமிழ், naïve cafe\u0305, \u{1fae8}new';
  record({ request: { model: 'm', input: [said('user', text)] }, response: aReply([]), headers: { 'thread-id': 'a' } });
  expect(await find(store, 'हिन्दी', 1)).toMatchObject([{ snippet: expect.stringContaining('«') }]);
  for (const words of ['தமிழ்', 'cafe\u0305', '"हिन्दी और"', '\u{1fae8}new']) {
    expect([words, store.search(words, 5).length]).toEqual([words, 1]);
  }
  expect(store.search('हिन्दा', 5)).toHaveLength(1);
  expect(store.search('दीहिन्', 5)).toEqual([]);
});

it('finds a phrase also in an old message, behind hundreds of newer ones that hold its words apart', async () => {
  const { record, store } = aRecorder();
  const history: object[] = [said('user', 'please fix the race: 请修复退款')];
  for (let n = 0; n < 650; n++) history.push(said('assistant', `the race is a bug to fix, 复查 ${n} 修改`));
  const headers = { 'thread-id': 'a' };
  record({
    request: { model: 'm', input: history },
    response: aReply([said('user', 'last race fix 复 修 the')]),
    headers,
  });
  await find(store, 'fix race 修', 20);
  expect(await find(store, '修复', 1)).toMatchObject([{ snippet: 'please fix the race: 请«修复»退款' }]);
  expect(store.search('"fix the race"', 20)).toHaveLength(1);
  expect(store.search('race', 20)).toHaveLength(20);
});

it('shows what it found although another match can’t be read any more', async () => {
  const { record, store, file } = aRecorder();
  for (const thread of ['damaged', 'whole']) {
    const input = [said('user', `A zebra of ${thread}`)];
    record({ request: { model: 'm', input }, response: aReply([]), headers: { 'thread-id': thread } });
  }
  expect(await find(store, 'zebra', 2)).toHaveLength(2);
  const database = new Database(file);
  database.prepare(`UPDATE exchanges SET request_json = '{"x' WHERE session_id = 'damaged'`).run();
  database.close();
  expect(store.search('zebra', 20).map(({ sessionId }) => sessionId)).toEqual(['whole']);
});

it('finds in an older database what was a word otherwise then, the newest first, while more is recorded', async () => {
  const { say, ...recorder } = aSpeaker();
  for (let n = 0; n < 30; n++) say(`s${n}`, `第${n}回 東京都の天気 ${'padding '.repeat(40)}`);
  await until(() => recorder.store.search('天気', 50).length === 30);
  recorder.stop();
  asSchema4(recorder.file);
  const again = aRecorder(1000, recorder.directory);
  expect(again.store.search('天気', 50)).toEqual([]);
  const database = new Database(recorder.file);
  const rewording = new Rewording(database);
  const found = () => again.store.search('天気', 50).map(hit => hit.sessionId);
  expect([rewording.advance(0), found()]).toEqual([true, ['s29']]);
  for (const _ of new Retention(database, new SearchIndex(database), () => undefined).prune(twoNewest));
  database.close();
  again.record({ request: { model: 'm', input: 'also 天気' }, response: aReply([]), headers: { 'thread-id': 'new' } });
  await until(() => found().length === 29);
  expect(new Set(found())).toEqual(new Set(['new', ...Array.from({ length: 28 }, (_, n) => `s${n}`)]));
});

const twoNewest: PruneSelection = { kind: 'sessions', ids: ['s29', 's28'] };

/** As the version before left it: its words were runs of characters. */
function asSchema4(file: string) {
  const database = new Database(file);
  database.exec(`
    INSERT INTO said_text (said_text) VALUES ('delete-all');
    INSERT INTO said_text (rowid, text) SELECT id, '東京都の天気' FROM said;
    DROP TABLE deleted_replays;
    DROP TRIGGER sessions_keep_their_number;
    ALTER TABLE deleted_through DROP COLUMN session_seq;
    ALTER TABLE indexed DROP COLUMN unworded_through;
    PRAGMA user_version = 4`);
  database.close();
}
