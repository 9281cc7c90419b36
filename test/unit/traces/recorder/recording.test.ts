import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { toAtif } from '../../../../server/traces/exports/atif.ts';
import { traceMigrations } from '../../../../server/traces/schema.ts';
import { TraceStore } from '../../../../server/traces/store.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { anOrigin, aRecorder, aReply, said, sse, wireOf } from '../recordedTraffic.ts';

const replayLaunch = { id: 'l1', agent: 'codex', label: 'demo', trialId: 't1', replay: true };
const metadata = JSON.stringify({ thread_id: 'thread-9', turn_id: 'turn-2', workspaces: { '/repo': {} } });

describe('a recorded exchange', () => {
  it('answers the query of promise C3, in any sqlite3', () => {
    const { record, file } = aRecorder();
    record(
      { request: { model: 'gpt-5.5', input: [said('user', 'hi')] }, response: aReply([]) },
      Date.UTC(2026, 0, 2, 3, 4, 5),
    );
    const database = new Database(file, { readonly: true });
    const rows = database
      .prepare(
        `SELECT datetime(ts_ms/1000,'unixepoch') AS at, json_extract(request_json,'$.model') AS model,
          json_extract(meta_json,'$.upstream_host') AS host, json_extract(meta_json,'$.usage.inputTokens') AS input
        FROM traces ORDER BY ts_ms DESC LIMIT 10`,
      )
      .all();
    database.close();
    expect(rows).toEqual([{ at: '2026-01-02 03:04:05', model: 'gpt-5.5', host: 'api.openai.com', input: 10 }]);
  });

  it('shows in the view what is stored once for several requests', () => {
    const { record, file } = aRecorder();
    for (const [index, effort] of ['low', 'low', 'high'].entries()) {
      const request = { model: 'gpt-5.5', input: [said('user', `hi ${index}`)], reasoning: { effort }, store: false };
      const headers = { 'thread-id': 'a', 'user-agent': 'codex_exec/1', 'x-client-request-id': `r${index}` };
      record({ request, response: aReply([said('assistant', `ho ${index}`)]), headers }, index);
    }
    const database = new Database(file, { readonly: true });
    const stored = database.prepare('SELECT request_json, response_json, meta_json FROM traces ORDER BY ts_ms').all();
    database.close();
    const rows = (stored as Record<string, string>[]).map(row => Object.values(row).map(text => JSON.parse(text)));
    for (const [index, [request, response, meta]] of rows.entries()) {
      expect(Object.keys(request)).toEqual(['model', 'input', 'reasoning', 'store']);
      expect(request).toMatchObject({ model: 'gpt-5.5', reasoning: { effort: index < 2 ? 'low' : 'high' } });
      expect(response).toMatchObject({ status: 'completed', output: [{ content: [{ text: `ho ${index}` }] }] });
      expect(meta).toMatchObject({ userAgent: 'codex_exec/1', clientRequestId: `r${index}` });
    }
  });

  it('belongs to the Codex thread that its headers name, with its working directory', () => {
    const { record, store } = aRecorder();
    const context = said('user', '<environment_context>\n  <cwd>/repo/sub</cwd>\n</environment_context>');
    const session = record({
      request: {
        model: 'm',
        input: [context, said('user', '# AGENTS.md instructions'), said('user', 'Fix it\nplease')],
      },
      response: aReply([said('assistant', 'ok')]),
      headers: { 'x-codex-turn-metadata': metadata, 'user-agent': 'codex_exec/0.169.0 (Debian)' },
    });
    expect(store.session(session)).toMatchObject({
      id: 'thread-9',
      agent: 'codex',
      title: 'Fix it',
      repository: '/repo/sub',
    });
  });

  it('finds the thread in a WebSocket message’s own metadata, and Claude’s session in its user id', () => {
    const { record } = aRecorder();
    const response = aReply([]);
    expect(record({ request: { client_metadata: { 'x-codex-turn-metadata': metadata } }, response })).toBe('thread-9');
    const session = '0b24f6a0-0000-4000-8000-000000000001';
    const body = { model: 'claude', messages: [], metadata: { user_id: `user_abc_account__session_${session}` } };
    expect(record({ path: '/v1/messages', request: body, response: '{"type":"message"}' })).toBe(session);
  });

  it('finds opencode’s session in its header, and Qwen’s in its metadata', () => {
    const { record } = aRecorder();
    const response = aReply([]);
    const ask = { model: 'm', input: 'x' };
    expect(record({ request: ask, response, headers: { 'x-session-id': 'ses_dfa0' } })).toBe('ses_dfa0');
    expect(record({ request: ask, response, headers: { 'x-opencode-session': 'ses_dfa1' } })).toBe('ses_dfa1');
    expect(record({ request: { ...ask, metadata: { sessionId: 'qwen-1', promptId: 'p' } }, response })).toBe('qwen-1');
  });

  it('knows an agent that a script starts by what it calls itself', () => {
    const { record, store } = aRecorder();
    const response = aReply([]);
    const ask = (id: string) => ({
      request: { model: 'm', input: 'x' },
      response,
      headers: { 'thread-id': id, 'user-agent': 'claude-cli/2.1.197 (external, cli)' },
    });
    const launched = (agent: string) =>
      anOrigin({ launch: { id: 'launch-1', agent, label: null, trialId: null, replay: false } });
    expect(store.session(record(ask('a'), undefined, launched('other')))).toMatchObject({ agent: 'claude' });
    expect(store.session(record(ask('b'), undefined, launched('mine')))).toMatchObject({ agent: 'mine' });
  });

  it('without a conversation id joins the session of its program until that was silent', () => {
    const { record } = aRecorder(1000);
    const traffic = { request: { model: 'm', input: 'x' }, response: aReply([]), headers: { 'user-agent': 'curl' } };
    const start = 1_800_000_000_000;
    const first = record(traffic, start);
    expect(record(traffic, start + 900)).toBe(first);
    expect(record({ ...traffic, headers: { 'user-agent': 'other' } }, start + 950)).not.toBe(first);
    expect(record(traffic, start + 1800)).toBe(first);
    expect(record(traffic, start + 10_000)).not.toBe(first);
  });

  it('ends no earlier than it began where the clock is set back meanwhile', () => {
    const { accept, store } = aRecorder();
    const { up, down } = wireOf({
      request: { model: 'm', input: 'x' },
      response: aReply([]),
      headers: { 'thread-id': 'a' },
    });
    const startMs = 1_800_000_000_000;
    accept({ kind: 'open', connection: 1, origin: anOrigin() });
    accept({ kind: 'bytes', connection: 1, direction: 'up', bytes: up, atMs: startMs });
    accept({ kind: 'bytes', connection: 1, direction: 'down', bytes: down, atMs: startMs - 3_600_000 });
    expect(store.exchangesOfSession('a')).toMatchObject([{ durationMs: 0, timeToFirstByteMs: 0 }]);
    const at = new Date(startMs).toISOString();
    expect(store.session('a')).toMatchObject({ startedAt: at, endedAt: at });
  });

  it('ignores an id that is made to break things', () => {
    const { record } = aRecorder();
    expect(record({ request: {}, response: aReply([]), headers: { 'thread-id': "'; DROP TABLE" } })).toMatch(/^\d{8}T/);
  });

  it('costs nothing from a recording, has no price for an unknown model, and one for a known', () => {
    const { record, store } = aRecorder();
    const costOf = (model: string, launch: typeof replayLaunch | null, usage?: object) => {
      const headers = { 'thread-id': `${model}-${launch === null}` };
      const traffic = { request: { model, input: 'x' }, response: aReply([], usage), headers };
      return store.session(record(traffic, Date.now(), anOrigin({ launch })))?.cost;
    };
    const usage = { input_tokens: 100_000, input_tokens_details: { cached_tokens: 90_000 }, output_tokens: 1000 };
    expect(costOf('gpt-5-codex', replayLaunch)).toEqual({ amountUsd: null, kind: 'replay' });
    expect(costOf('gpt-99-codex', null)).toEqual({ amountUsd: null, kind: 'unpriced' });
    // By hand: 10k fresh at $1.25/M, 90k cached at $0.125/M, 1k out at $10/M.
    expect(costOf('gpt-5-codex', null, usage)?.amountUsd).toBeCloseTo(0.0125 + 0.01125 + 0.01, 6);
  });

  it('makes a request whole that adds to a reply from before a pause', () => {
    const ask = (recorder: ReturnType<typeof aRecorder>, number: number, previous: string | null) => {
      const id = `resp_${number}`;
      const output = [said('assistant', `Answer ${number}, ${'at length '.repeat(30)}`)];
      const input = [said('user', `Question ${number}`)];
      const request = { model: 'm', ...(previous === null ? {} : { previous_response_id: previous }), input };
      const response = sse({ type: 'response.completed', response: { id, status: 'completed', output } });
      recorder.record({ request, response, headers: { 'thread-id': 'a' } }, number);
    };
    const before = aRecorder();
    ask(before, 1, null);
    ask(before, 2, 'resp_1');
    before.stop();
    const after = aRecorder(120_000, before.directory);
    ask(after, 3, 'resp_2');
    ask(after, 4, 'resp_3');
    ask(after, 5, 'resp_never');
    const texts = after.store.conversation('a').map(({ text }) => text.split(',')[0]);
    expect(texts.slice(0, 8)).toEqual([1, 2, 3, 4].flatMap(n => [`Question ${n}`, `Answer ${n}`]));
    const requests = [...after.store.wholeExchanges('a')].map(({ request }) => request as { input: unknown[] });
    expect(requests.map(({ input }) => input.length)).toEqual([1, 3, 5, 7, 1]);
    const [, , third] = after.store.exchangesOfSession('a');
    const { request = '' } = after.store.wireText(third?.id ?? '') ?? {};
    expect(JSON.parse(request)).toEqual({
      model: 'm',
      previous_response_id: 'resp_2',
      input: [said('user', 'Question 3')],
    });
  });

  it('lets a session’s title wait for the first prompt', () => {
    const { record, store } = aRecorder();
    const headers = { 'thread-id': 'warm' };
    record({
      request: { model: 'm', generate: false, input: [said('user', '<skills>')] },
      response: aReply([]),
      headers,
    });
    expect(store.session('warm')?.title).toBe('Untitled session');
    record({ request: { model: 'm', input: [said('user', 'Now do it')] }, response: aReply([]), headers });
    expect(store.session('warm')).toMatchObject({ title: 'Now do it', exchanges: 2 });
  });

  it('is told apart from a request that calls no model: that is only counted', () => {
    const { accept, store, events } = aRecorder();
    accept({ kind: 'open', connection: 1, origin: anOrigin() });
    const up = Buffer.from('GET /v1/models?key=secret-value HTTP/1.1\r\n\r\n');
    accept({ kind: 'bytes', connection: 1, direction: 'up', bytes: up, atMs: 1 });
    const down = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
    accept({ kind: 'bytes', connection: 1, direction: 'down', bytes: down, atMs: 2 });
    accept({ kind: 'close', connection: 1, atMs: 3 });
    expect(store.sideRequests('api.openai.com', '/v1/models')).toBe(1);
    expect(store.newest({ limit: 5 }).rows).toEqual([]);
    expect(events.filter(event => event.kind === 'uncaptured')).toEqual([]);
  });
});

describe('a session id that is taken', () => {
  const inTrial = (trialId: string | null, id = `launch-of-${trialId}`) =>
    anOrigin({ launch: { id, agent: 'codex', label: null, trialId, replay: false } });
  const saying = (text: string, id = 'thread-1') => ({
    request: { model: 'm', input: [said('user', text)] },
    response: aReply([]),
    headers: { 'thread-id': id },
  });

  it('lets no trial write into a person’s session or into another trial’s', () => {
    const { record, store } = aRecorder();
    const own = record(saying('mine'));
    const first = record(saying('from the first trial'), Date.now(), inTrial('run-1.1'));
    const second = record(saying('from the second trial'), Date.now(), inTrial('run-1.2'));
    expect(own).toBe('thread-1');
    expect(new Set([own, first, second]).size).toBe(3);
    expect(store.session(own)).toMatchObject({ title: 'mine', exchanges: 1, usage: { inputTokens: 10 } });
    expect(store.exchangesOfTrial('run-1.1').map(exchange => exchange.sessionId)).toEqual([first]);
    expect(JSON.stringify(toAtif(store, [first]).steps)).not.toMatch(/mine|second trial/);
    // The same trial goes on where it was, and an id made to look like another's opens no way in.
    expect(record(saying('again'), Date.now(), inTrial('run-1.1'))).toBe(first);
    expect(record(saying('guessed', second), Date.now(), inTrial('run-1.1'))).not.toBe(second);
  });

  it('is kept as it is by a trial that has it first, and a person is not joined to it', () => {
    const { record } = aRecorder();
    expect(record(saying('from a trial'), Date.now(), inTrial('run-1.1'))).toBe('thread-1');
    const own = record(saying('mine'));
    expect(own).not.toBe('thread-1');
    expect(record(saying('mine again'))).toBe(own);
  });

  it('joins the launches in which a person resumes a conversation', () => {
    const { record, store } = aRecorder();
    record(saying('begin'), Date.now(), inTrial(null, 'launch-1'));
    record(saying('go on'), Date.now(), inTrial(null, 'launch-2'));
    expect(store.session('thread-1')?.exchanges).toBe(2);
  });
});

describe('secrets', () => {
  const key = 'sk-ant-oat01-CANARYCANARYCANARY';
  const own = 'canary with no shape at all';

  it('are in none of the database’s files, wherever they stood in the traffic', () => {
    const { record, accept, directory, stop, store } = aRecorder();
    accept({ kind: 'hide', secret: own });
    const reply = aReply([
      said('assistant', `the key is ${key}`),
      {
        type: 'function_call',
        call_id: 'c',
        name: 'exec',
        arguments: JSON.stringify({ cmd: `curl -H "Authorization: Bearer ${key}" ${own}` }),
      },
    ]);
    record({
      path: `/v1/responses?key=${key}&api_key=CANARYPLAIN1`,
      request: {
        model: 'm',
        api_key: 'CANARYPLAIN2',
        input: [
          said('user', `use ${key}`),
          said('user', `${own}\nOPENAI_API_KEY=CANARYPLAIN3`),
          { type: 'function_call_output', call_id: 'c', output: key },
        ],
        client_metadata: { note: key },
      },
      response: reply,
      headers: {
        authorization: `Bearer ${key}`,
        'x-api-key': 'CANARYPLAIN4',
        'user-agent': `agent ${key}`,
        'x-client-request-id': key,
      },
    });
    record({
      request: { model: 'm', input: 'x' },
      response: JSON.stringify({ error: { message: `bad key ${key}` } }),
      status: 401,
    });
    const unpacked = store.newest({ limit: 5 }).rows.flatMap(row => [...store.wholeExchanges(row.id), row]);
    expect(JSON.stringify(unpacked)).not.toMatch(/canary/i);
    stop();
    for (const name of readdirSync(directory)) {
      expect(readFileSync(join(directory, name)).toString('latin1')).not.toMatch(/canary/i);
    }
  });

  it('are out of a prompt before it is cut to a title', () => {
    const { record, store } = aRecorder();
    const password = 'Tr0ub4dor&3xyzzyPlugh';
    const key = `npm_${'abcdefghijKLMNOPQRST'}0123456789abcdEF`;
    const prompts = [
      `Clone ${'the repository '.repeat(5)}at https://deploy:${password}@git.example.com/app.git`,
      `${'a '.repeat(45)}${key} ok`,
    ];
    for (const [index, prompt] of prompts.entries()) {
      const request = { model: 'm', input: [said('user', prompt)] };
      const session = record({ request, response: aReply([]), headers: { 'thread-id': `thread-${index}` } });
      const title = store.session(session)?.title;
      expect(title).toContain('[redacted]');
      expect(title).not.toContain(key.slice(0, 12));
      expect(title).not.toContain(password.slice(0, 8));
    }
  });

  it('are no name of a model, be it asked for or answered', () => {
    const { record, store, events } = aRecorder();
    const random = 'Qx7pLw2vRt9zKd4mBn6sHj1f';
    const headers = { authorization: `Bearer ${random}`, 'thread-id': 'a' };
    for (const model of [random, `vendor/${key}`])
      record({ request: { model, input: 'x' }, response: aReply([]), headers });
    const answered = JSON.stringify({ id: 'c', model: random, choices: [] });
    record({ path: '/v1/chat/completions', request: { messages: [] }, response: answered, headers });
    record({ request: { model: 'accounts/a/models/gpt-5.5:free', input: 'x' }, response: aReply([]), headers });
    const models = ['[redacted]', 'vendor/[redacted]', '[redacted]', 'accounts/a/models/gpt-5.5:free'];
    expect(store.exchangesOfSession('a').map(({ model }) => model)).toEqual(models);
    expect(events.flatMap(event => (event.kind === 'exchange' ? [event.model] : []))).toEqual(models);
    expect(store.session('a')?.models).not.toContain(random);
    expect(JSON.stringify(store.stats({ by: ['model'], sinceMs: null }))).not.toContain(random);
  });

  it('are not left in the tokens that a text is said in once more', () => {
    const { record, store } = aRecorder();
    const tokens = (key.match(/.{1,4}/g) ?? []).map(token => ({ token, logprob: 0, bytes: [...Buffer.from(token)] }));
    const text = `key ${key}`;
    const chat = { path: '/v1/chat/completions', request: { model: 'm', messages: [], logprobs: true } };
    const message = { role: 'assistant', content: text };
    const spoken = { type: 'output_text', text, logprobs: tokens };
    const choices = [{ index: 0, message, logprobs: { content: tokens } }];
    const deltas = tokens.map(each => ({ delta: { content: each.token }, logprobs: { content: [each] } }));
    const candidate = { content: { role: 'model', parts: [{ text }] }, logprobsResult: { chosenCandidates: tokens } };
    const replies = [
      { ...chat, response: JSON.stringify({ id: 'c', choices }) },
      { ...chat, response: sse(...deltas.map(choice => ({ id: 'c', choices: [{ index: 0, ...choice }] }))) },
      {
        request: { model: 'm', input: 'x' },
        response: aReply([{ type: 'message', role: 'assistant', content: [spoken] }]),
      },
      { path: '/v1/models/m:generateContent', request: {}, response: JSON.stringify({ candidates: [candidate] }) },
      { path: '/api/chat', request: { model: 'm' }, response: JSON.stringify({ message, logprobs: tokens }) },
    ];
    for (const [index, traffic] of replies.entries()) {
      const session = record({ ...traffic, headers: { 'thread-id': `tokens-${index}` } });
      const [whole] = [...store.wholeExchanges(session)];
      const { events = [] } = store.wireText(whole?.exchange.id ?? '') ?? {};
      const kept = JSON.stringify([whole, events]);
      expect(kept).toContain('[redacted]');
      for (const token of tokens.slice(3)) expect(kept).not.toContain(`"${token.token}"`);
    }
    const clean = {
      ...chat,
      response: JSON.stringify({
        choices: [{ message: { content: 'fine' }, logprobs: { content: tokens.slice(0, 1) } }],
      }),
    };
    const session = record({ ...clean, headers: { 'thread-id': 'clean' } });
    expect([...store.wholeExchanges(session)][0]?.response).toEqual(JSON.parse(clean.response));
  });

  it('are found also when a stream cuts them in two', () => {
    const { accept, store } = aRecorder();
    const reply = Buffer.from(aReply([said('assistant', `key ${key} end`)]));
    const { up } = wireOf({ request: { model: 'm', input: 'x' }, response: '' });
    const head = Buffer.from(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    for (let cut = 1, connection = 1; cut < reply.length; cut += 7, connection++) {
      accept({ kind: 'open', connection, origin: anOrigin() });
      accept({ kind: 'bytes', connection, direction: 'up', bytes: up, atMs: 1 });
      accept({ kind: 'bytes', connection, direction: 'down', bytes: head, atMs: 1 });
      for (const part of [reply.subarray(0, cut), reply.subarray(cut)]) {
        const bytes = Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
        accept({ kind: 'bytes', connection, direction: 'down', bytes, atMs: 1 });
      }
      accept({ kind: 'bytes', connection, direction: 'down', bytes: Buffer.from('0\r\n\r\n'), atMs: 1 });
    }
    const [session] = store.newest({ limit: 1 }).rows;
    const texts = store.conversation(session?.id ?? '').map(item => item.text);
    expect(texts.join()).not.toContain('CANARY');
    expect(texts).toContain('key [redacted] end');
  });
});

describe('a compressed event stream', () => {
  it('is read too', () => {
    const { accept, store } = aRecorder();
    const { up } = wireOf({ request: { model: 'm', input: 'x' }, response: '', headers: { 'thread-id': 'z' } });
    const body = gzipSync(aReply([said('assistant', 'packed')]));
    const head = `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`;
    accept({ kind: 'open', connection: 1, origin: anOrigin() });
    accept({ kind: 'bytes', connection: 1, direction: 'up', bytes: up, atMs: 1 });
    accept({
      kind: 'bytes',
      connection: 1,
      direction: 'down',
      bytes: Buffer.concat([Buffer.from(head), body]),
      atMs: 1,
    });
    expect(store.conversation('z').at(-1)?.text).toBe('packed');
  });
});

describe('the store', () => {
  it('pages through sessions, newest first', () => {
    const { record, store } = aRecorder();
    for (let i = 0; i < 5; i++) {
      record(
        { request: { model: 'm', input: 'x' }, response: aReply([]), headers: { 'thread-id': `s${i}` } },
        1_800_000_000_000 + i * 1000,
      );
    }
    const first = store.newest({ limit: 2 });
    const second = store.newest({ limit: 2, before: first.next ?? '' });
    const third = store.newest({ limit: 2, before: second.next ?? '' });
    expect([first, second, third].map(page => page.rows.map(row => row.id))).toEqual([
      ['s4', 's3'],
      ['s2', 's1'],
      ['s0'],
    ]);
    expect(third.next).toBeNull();
    expect(store.personalSessionsSince(1_800_000_003_000).map(row => row.id)).toEqual(['s3', 's4']);
  });

  it('knows a session in which Codex only asks how to call another one', () => {
    const { record, store } = aRecorder();
    for (const [id, source] of [
      ['s1', 'user'],
      ['s2', 'thread_title'],
    ]) {
      const turn = JSON.stringify({ thread_id: id, thread_source: source });
      const request = { model: 'm', input: [said('user', `Asked by ${source}`)] };
      record({ request, response: aReply([]), headers: { 'x-codex-turn-metadata': turn } });
    }
    expect(store.session('s2')).toMatchObject({ purpose: 'title', title: 'Title for a session' });
    expect(store.personalSessionsSince(0).map(({ title }) => title)).toEqual(['Asked by user']);
  });

  it('names the sessions of people also where one is damaged', () => {
    const { record, store, file } = aRecorder();
    for (const id of ['s1', 's2', 's3']) {
      record({ request: { model: 'm', input: 'x' }, response: aReply([]), headers: { 'thread-id': id } });
    }
    const database = new Database(file);
    database.exec(`UPDATE sessions SET ended_ms = 9e15 WHERE id = 's1';
      UPDATE sessions SET title = x'00ff' WHERE id = 's2'`);
    database.close();
    expect(store.personalSessionsSince(0).map(({ id }) => id)).toEqual(['s3']);
  });

  it('has a session in the order in which it went on, also where the clock was set back', () => {
    const { record, store } = aRecorder();
    const history: object[] = [said('user', 'Question')];
    for (const [turn, minute] of [0, 1, 2, -60, -59, 3].entries()) {
      const answer = said('assistant', `Answer ${turn}`);
      record(
        { request: { model: 'm', input: history }, response: aReply([answer]), headers: { 'thread-id': 's' } },
        1_800_000_000_000 + minute * 60_000,
        anOrigin({ launch: { ...replayLaunch, trialId: null } }),
      );
      history.push(answer);
    }
    expect(store.conversation('s').map(({ text }) => text)).toEqual([
      'Question',
      ...[0, 1, 2, 3, 4, 5].map(turn => `Answer ${turn}`),
    ]);
    expect(store.exchangesOfLaunch('l1')).toEqual(store.exchangesOfSession('s'));
  });

  it('gives what follows a cursor of one session, a page at a time', () => {
    const { record, store, file } = aRecorder();
    const traffic = (id: string) => ({
      request: { model: 'm', input: 'x' },
      response: aReply([]),
      headers: { 'thread-id': id },
    });
    for (const id of ['a', 'b', 'a', 'b', 'a']) record(traffic(id));
    const database = new Database(file);
    // More than a page of each.
    const columns = (database.pragma('table_info(exchanges)') as { name: string }[])
      .map(({ name }) => name)
      .filter(name => !['seq', 'id'].includes(name));
    database.exec(`WITH RECURSIVE numbers (number) AS (SELECT 6 UNION ALL SELECT number + 1 FROM numbers LIMIT 1200)
      INSERT INTO exchanges (seq, id, ${columns}) SELECT number, 'e' || number, ${columns}
      FROM numbers JOIN exchanges ON seq = 1 + number % 2`);
    database.close();
    const first = store.storedAfter(1, 'a');
    const rest = store.storedAfter(first.next, 'a');
    expect([first.rows.length, rest.rows.length]).toEqual([500, 102]);
    expect(new Set([...first.rows, ...rest.rows].map(({ id }) => id)).size).toBe(602);
    expect(store.storedAfter(rest.next, 'a')).toEqual({ rows: [], next: rest.next });
    expect(store.storedAfter(3, 'never')).toEqual({ rows: [], next: 3 });
    expect(
      store
        .storedAfter(0, null)
        .rows.map(({ sessionId }) => sessionId)
        .slice(0, 5),
    ).toEqual(['a', 'b', 'a', 'b', 'a']);
  });

  it('sums by model and agent what was asked of models', () => {
    const { record, store } = aRecorder();
    const traffic = { request: { model: 'm', input: 'x' }, response: aReply([]), headers: { 'thread-id': 'a' } };
    record(traffic);
    record(traffic, Date.now(), anOrigin({ launch: { ...replayLaunch, trialId: null } }));
    expect(store.stats({ by: ['model', 'agent'], sinceMs: null })).toMatchObject([
      {
        model: 'm',
        sessions: 1,
        exchanges: 1,
        usage: { inputTokens: 10, outputTokens: 5, cachedInputTokens: null },
        cost: { kind: 'unpriced' },
      },
    ]);
    expect(store.exchangesOfLaunch('l1')).toHaveLength(1);
  });

  it('reads, goes on in and deletes what the first version recorded', async () => {
    const directory = temporaryDirectory();
    const old = new Database(join(directory, 'traces.sqlite3'));
    old.exec(traceMigrations[0] ?? '');
    old.pragma('user_version = 1');
    const putItem = old.prepare('INSERT INTO items (hash, content) VALUES (?, ?)');
    const put = (value: unknown) => {
      const text = JSON.stringify(value);
      putItem.run(hash('sha256', text), zstdCompressSync(text));
      return hash('sha256', text);
    };
    const instructions = 'be good '.repeat(60);
    const input = [said('user', 'asked '.repeat(60)), said('assistant', 'answered '.repeat(60)), said('user', 'ok')];
    const one = put({ before: null, items: [{ $item: put(input[0]) }] });
    const two = put({ before: one, items: [{ $item: put(input[1]) }, input[2]] });
    const request = { model: 'm', instructions: { $item: put(instructions) }, input: { $list: two } };
    old.exec("INSERT INTO sessions (id, started_ms, ended_ms) VALUES ('a', 1, 1)");
    old
      .prepare(
        `INSERT INTO exchanges (id, session_id, ts_ms, method, url, upstream_host, dialect, transport, cost_kind,
           request_json, extra_json)
         VALUES ('e', 'a', 1, 'POST', 'u', 'h', 'responses', 'sse', 'none', ?, '{"userAgent":"x"}')`,
      )
      .run(JSON.stringify(request));
    old.close();
    const { record, store, file, upkeep } = aRecorder(1000, directory);
    const next = { model: 'm', instructions, input: [...input, said('user', 'more')] };
    record({ request: next, response: aReply([]), headers: { 'thread-id': 'a' } });
    const requests = [...store.wholeExchanges('a')].map(whole => whole.request);
    expect(requests).toEqual([{ model: 'm', instructions, input }, next]);
    const database = new Database(file, { readonly: true });
    const count = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
    // Five of the first version, and of what was sent again nothing but its list.
    expect([count('items'), count('item_hashes')]).toEqual([6, 5]);
    await upkeep({ kind: 'prune', selection: { kind: 'all' } });
    expect(['items', 'item_hashes', 'exchanges', 'said'].map(count)).toEqual([0, 0, 0, 0]);
    database.close();
  });

  it('refuses a database of a newer version and leaves it as it is', () => {
    const file = join(temporaryDirectory(), 'traces.sqlite3');
    const newer = new Database(file);
    newer.pragma('user_version = 99');
    newer.close();
    expect(() => new TraceStore(file)).toThrow(expect.objectContaining({ code: 'schema.newer' }));
  });
});
