import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../../../server/base/log.ts';
import { type RecordedOptions, recordedSource } from '../../../../server/proxy/replay/recorded.ts';
import { type Replay, startReplay } from '../../../../server/proxy/replay/replayServer.ts';
import { Redactor } from '../../../../server/traces/redaction/redaction.ts';
import type { TraceStore } from '../../../../server/traces/store.ts';
import { type SseEvent, SseParser } from '../../../../server/traces/wire/sse.ts';
import { anOrigin, aRecorder, aReply, said, sse, type Traffic } from '../../traces/recordedTraffic.ts';

const thread = { 'thread-id': 'thread-1' };
const context = (cwd: string) => said('user', `<environment_context>\n  <cwd>${cwd}</cwd>\n</environment_context>`);
const call = { type: 'function_call', call_id: 'c1', name: 'exec_command', arguments: '{"cmd":"ls /old/place"}' };
const output = (text: string) => ({ type: 'function_call_output', call_id: 'c1', output: text });
const tools = [{ type: 'function', name: 'exec_command' }];

const asked = (cwd: string, prompt: string, ...more: object[]) => ({
  model: 'gpt-5.5',
  tools,
  input: [context(cwd), said('user', prompt), ...more],
});

/** A session of two exchanges: a call, and the last words after its output. */
function aSession() {
  const recorder = aRecorder();
  const first = aReply([call]);
  const last = aReply([said('assistant', 'Two files.')]);
  const asking = { headers: thread, request: asked('/old/place', 'List them'), response: first };
  const telling = {
    headers: thread,
    request: asked('/old/place', 'List them', call, output('Wall time: 0.5 seconds\na\nb')),
    response: last,
  };
  recorder.record(asking);
  recorder.record(telling);
  return { ...recorder, first, last };
}

async function aReplay(store: TraceStore, session: string, options?: RecordedOptions): Promise<Replay> {
  const replay = await startReplay(await recordedSource(store, session, options), silentLog);
  onTestFinished(() => replay.dispose());
  return replay;
}

async function ask(replay: Replay, body: object, path = '/v1/responses', headers: Record<string, string> = {}) {
  const answer = await fetch(`${replay.origin}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
}

describe('a session’s replay', () => {
  it('gives each request the bytes that were answered, whatever its clocks and ids say', async () => {
    const { store, first, last } = aSession();
    const replay = await aReplay(store, 'thread-1');
    const request = asked('/old/place', 'List them');
    expect(await ask(replay, { ...request, prompt_cache_key: 'another' })).toMatchObject({ status: 200, text: first });
    const after = asked('/old/place', 'List them', call, output('Wall time: 99.1 seconds\na\nb'));
    expect(await ask(replay, after)).toMatchObject({ status: 200, text: last });
    expect(replay.failures()).toEqual([]);
  });

  it('names the agent’s own directory where the recorded answers name theirs', async () => {
    const { store } = aSession();
    const replay = await aReplay(store, 'thread-1');
    const { text } = await ask(replay, asked('/new/home', 'List them'));
    expect(text).toContain('ls /new/home');
    expect(text).not.toContain('/old/place');
  });

  it.each([
    ['/app', '/home/me/shop', 'cat src/app/page.tsx', 'cat src/app/page.tsx'],
    [
      '/app',
      '/home/me/shop',
      'cat @/app/x ~/app/x [slug]/app/x http://app/x',
      'cat @/app/x ~/app/x [slug]/app/x http://app/x',
    ],
    [
      '/home/me/shop',
      '/work/x',
      'ls /home/me/shop-assets /home/me/shop.bak',
      'ls /home/me/shop-assets /home/me/shop.bak',
    ],
    ['/', '/w', 'cat src/page.tsx /etc/hosts', 'cat src/page.tsx /etc/hosts'],
    [
      '/app',
      '/home/$&/shop',
      'cd /app && cat "/app/x" >/app/y\n/app/z file:///app.',
      'cd /home/$&/shop && cat "/home/$&/shop/x" >/home/$&/shop/y\n/home/$&/shop/z file:///home/$&/shop.',
    ],
  ])('recorded in %s and replayed in %s, changes the directory alone: %s', async (from, to, recorded, replayed) => {
    const recorder = aRecorder();
    const commanded = (cmd: string) => ({ ...call, arguments: JSON.stringify({ cmd }) });
    const response = aReply([commanded(recorded)]);
    recorder.record({ headers: thread, request: asked(from, 'List them'), response });
    const told = asked(from, 'List them', commanded(recorded), output(`ran ${recorded}`));
    recorder.record({ headers: thread, request: told, response: aReply([said('assistant', 'Two files.')]) });
    const replay = await aReplay(recorder.store, 'thread-1');
    const { text } = await ask(replay, asked(to, 'List them'));
    expect(text).toContain(JSON.stringify(JSON.stringify({ cmd: replayed })).slice(1, -1));
    const after = await ask(replay, asked(to, 'List them', commanded(replayed), output(`ran ${replayed}`)));
    expect(after).toMatchObject({ status: 200 });
  });

  it.each([
    [
      '/v1/messages',
      (cwd: string) => ({
        system: [{ type: 'text', text: `<env>\nWorking directory: ${cwd}\n</env>` }],
        messages: [{ role: 'user', content: 'Write it' }],
      }),
      sse(
        { type: 'message_start', message: { id: 'm1', model: 'm', usage: { input_tokens: 3, output_tokens: 1 } } },
        { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't1', name: 'Write' } },
        {
          type: 'content_block_delta',
          index: 0,
          delta: { type: 'input_json_delta', partial_json: '{"file_path":"/old/place/a.txt"}' },
        },
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 2 } },
        { type: 'message_stop' },
      ),
    ],
    [
      '/v1/chat/completions',
      (cwd: string) => ({
        messages: [
          { role: 'system', content: `Be brief.\n  Working directory: ${cwd}` },
          { role: 'user', content: 'Write it' },
        ],
      }),
      sse({
        ...{ id: 'c', object: 'chat.completion.chunk' },
        choices: [
          {
            index: 0,
            delta: {
              tool_calls: [
                { index: 0, id: 't1', function: { name: 'write', arguments: '{"path":"/old/place/a.txt"}' } },
              ],
            },
            finish_reason: 'tool_calls',
          },
        ],
      }),
    ],
    [
      '/v1beta/models/gemini-2.5-pro:streamGenerateContent',
      (cwd: string) => ({
        contents: [
          {
            role: 'user',
            parts: [
              {
                text: `This is the Gemini CLI. We are setting up the context.\nI'm currently working in the directory: ${cwd}`,
              },
            ],
          },
          { role: 'user', parts: [{ text: 'Write it' }] },
        ],
      }),
      sse({
        candidates: [
          {
            content: {
              role: 'model',
              parts: [{ functionCall: { name: 'write', args: { path: '/old/place/a.txt' } } }],
            },
            finishReason: 'STOP',
          },
        ],
      }),
    ],
  ])('sends no path of the recorded directory to an agent elsewhere at %s', async (path, inDirectory, response) => {
    const recorder = aRecorder();
    const request = (cwd: string) => ({ model: 'm', tools, ...inDirectory(cwd) });
    const session = recorder.record({ path, request: request('/old/place'), response });
    const replay = await aReplay(recorder.store, session);
    expect(await ask(replay, request('/old/place'), path)).toMatchObject({ status: 200, text: response });
    const elsewhere = await ask(replay, request('/new/home'), path);
    expect(elsewhere).toMatchObject({ status: 400, text: expect.stringContaining('recorded in /old/place') });
    expect(elsewhere.text).not.toContain('a.txt');
  });

  it('answers a task that words the prompt anew only when told so', async () => {
    const { store } = aSession();
    const request = asked('/old/place', 'Please list all of the files');
    const strict = await ask(await aReplay(store, 'thread-1'), request);
    expect([strict.status, strict.text]).toEqual([400, expect.stringContaining('List them')]);
    expect(await ask(await aReplay(store, 'thread-1', { anyPrompt: true }), request)).toMatchObject({ status: 200 });
  });

  it('takes a prompt with secrets as it was recorded, and shows none where it differs', async () => {
    const recorder = aRecorder();
    const [password, value] = ['0dNSr8Lq2ZpX4vTb', 'a-value-of-the-shell'];
    const prompt = (more = '') => asked('/old/place', `Use password=${password} and ${value}${more}`);
    recorder.accept({ kind: 'hide', secret: value });
    recorder.record({ headers: thread, request: prompt(), response: aReply([said('assistant', 'Done.')]) });
    const redactor = new Redactor();
    redactor.hide(value);
    const replay = await aReplay(recorder.store, 'thread-1', { redactor });
    expect(await ask(replay, prompt())).toMatchObject({ status: 200 });
    const { status, text } = await ask(replay, prompt(' now'));
    expect([status, text]).toEqual([400, expect.stringContaining('Use password=[redacted] and [redacted] now')]);
    expect(text + replay.failures().join()).not.toMatch(new RegExp(`${password}|${value}`));
  });

  it('hides what became known since on both sides', async () => {
    const recorder = aRecorder();
    const prompt = asked('/old/place', 'Say a-value-of-the-shell');
    recorder.record({ headers: thread, request: prompt, response: aReply([said('assistant', 'Done.')]) });
    const redactor = new Redactor();
    redactor.hide('a-value-of-the-shell');
    expect(await ask(await aReplay(recorder.store, 'thread-1', { redactor }), prompt)).toMatchObject({ status: 200 });
  });

  it.each(['authorization', 'x-api-key', 'x-goog-api-key'])(
    'takes what the agent says of its own token in %s as it was recorded of another, and shows none',
    async name => {
      const recorder = aRecorder();
      const [before, now] = ['bo-bmL-sUTF7k8ETlIzqwlJbfPl3NmaC', 'Zk2_r8mVd1QxT0uWc5YbN7aLhEoPs4Gj'];
      const telling = (token: string, more = '') =>
        asked('/p', 'Say it', call, output(`token ${token}, in base64 ${btoa(`x:${token}`)}${more}`));
      recorder.accept({ kind: 'hide', secret: before });
      recorder.record({ headers: thread, request: telling(before), response: aReply([]) });
      const replay = await aReplay(recorder.store, 'thread-1');
      const shown = { [name]: name === 'authorization' ? `Bearer ${now}` : now };
      expect(await ask(replay, telling(now), '/v1/responses', shown)).toMatchObject({ status: 200 });
      const { status, text } = await ask(replay, telling(now, ' and more'), '/v1/responses', shown);
      expect([status, text]).toEqual([400, expect.stringContaining('token [redacted], in base64')]);
      expect(text + replay.failures().join()).not.toContain(now);
    },
  );

  it('refuses what it does not have and shows the nearest request and the difference', async () => {
    const { store } = aSession();
    const replay = await aReplay(store, 'thread-1');
    const { status, text } = await ask(replay, asked('/old/place', 'List them', call, output('a\nc')));
    expect(status).toBe(400);
    expect(JSON.parse(text).error).toMatchObject({ code: 'replay_mismatch' });
    expect(replay.failures()).toEqual([
      expect.stringMatching(/Nearest is recorded request 2 of 2; item 3 .* differs in line \d: expected .*, got/),
    ]);
    const further = asked(
      '/old/place',
      'List them',
      call,
      output('Wall time: 1 s\na\nb'),
      said('assistant', 'Two files.'),
      said('user', 'And?'),
    );
    expect((await ask(replay, further)).text).toContain('no answer to what the agent went on with');
  });

  it('leaves out failed tries and tells side requests without tools apart', async () => {
    const recorder = aRecorder();
    const request = asked('/p', 'Hello');
    const title = { ...request, tools: undefined };
    const failed: Traffic = { headers: thread, request, response: '{"error":{"message":"overloaded"}}', status: 500 };
    recorder.record(failed);
    recorder.record({ headers: thread, request, response: aReply([said('assistant', 'Hi.')]) });
    recorder.record({ headers: thread, request: title, response: aReply([said('assistant', 'Greeting')]) });
    const replay = await aReplay(recorder.store, 'thread-1');
    expect((await ask(replay, request)).text).toContain('Hi.');
    expect((await ask(replay, title)).text).toContain('Greeting');
  });

  it('speaks the dialect of the session', async () => {
    const recorder = aRecorder();
    const request = { model: 'claude-x', messages: [{ role: 'user', content: 'Hello' }] };
    const response = sse(
      { type: 'message_start', message: { id: 'm1', model: 'claude-x', usage: { input_tokens: 3, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi.' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
      { type: 'message_stop' },
    );
    const session = recorder.record({ path: '/v1/messages', request, response });
    const replay = await aReplay(recorder.store, session);
    const answer = await ask(replay, request, '/v1/messages?beta=true');
    expect(answer).toEqual({ status: 200, type: 'text/event-stream', text: response });
    expect((await ask(replay, {}, '/v1/messages/count_tokens')).status).toBe(404);
  });

  it('tells requests before and after a compaction apart, and gives the compaction itself', async () => {
    const recorder = aRecorder();
    const compaction = { type: 'compaction', id: 'cmp_1', encrypted_content: 'AAAA' };
    const again = { ...compaction, id: 'cmp_2', encrypted_content: 'BBBB' };
    const reasoning = { type: 'reasoning', summary: [], encrypted_content: 'thought' };
    const trigger = { type: 'compaction_trigger' };
    const before = asked('/p', 'Fix it', reasoning, call, output('a'), trigger);
    const steps: [request: object, reply: string][] = [
      [asked('/p', 'Fix it'), aReply([call])],
      [before, aReply([compaction])],
      [asked('/p', 'Fix it', compaction), aReply([said('assistant', 'Finished.')])],
      [asked('/p', 'Fix it', again), aReply([said('assistant', 'Finished twice.')])],
    ];
    for (const [request, response] of steps) recorder.record({ headers: thread, request, response });
    const replay = await aReplay(recorder.store, 'thread-1');
    for (const [request, text] of steps) expect(await ask(replay, request)).toMatchObject({ status: 200, text });
    const elsewhere = { ...compaction, id: 'cmp_9', internal_chat_message_metadata_passthrough: { turn_id: 't' } };
    expect((await ask(replay, asked('/p', 'Fix it', elsewhere))).text).toContain('Finished.');
    const without = asked('/p', 'Fix it', call, output('a'), trigger);
    expect((await ask(replay, without)).text).toContain('cmp_1');
    const other = asked('/p', 'Fix it', { ...compaction, encrypted_content: 'CCCC' });
    expect((await ask(replay, other)).text).toContain('item 2 of the conversation');
  });

  it('tells a request to compact from one to go on with the same conversation', async () => {
    const recorder = aRecorder();
    const request = asked('/p', 'Fix it');
    const compacted = JSON.stringify({ object: 'response.compaction', output: [{ type: 'compaction', id: 'cmp_1' }] });
    recorder.record({ headers: thread, path: '/v1/responses/compact', request, response: compacted });
    const onlyCompacted = await aReplay(recorder.store, 'thread-1');
    expect((await ask(onlyCompacted, request)).text).toContain('asks for compact, not responses');
    recorder.record({ headers: thread, request, response: aReply([call]) });
    const replay = await aReplay(recorder.store, 'thread-1');
    expect((await ask(replay, request, '/v1/responses/compact')).text).toBe(compacted);
    expect((await ask(replay, request)).text).toContain('exec_command');
  });

  it('gives answers without words, and not those to a request that asked for none', async () => {
    const recorder = aRecorder();
    const request = asked('/p', 'Fix it');
    const silent = aReply([]);
    recorder.record({ headers: thread, request, response: silent });
    recorder.record({ headers: thread, request: { ...request, generate: false }, response: aReply([]) });
    const replay = await aReplay(recorder.store, 'thread-1');
    expect(await ask(replay, request)).toMatchObject({ status: 200, text: silent });
    const question = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };
    const empty = { type: 'message', role: 'assistant', content: [], stop_reason: 'end_turn' };
    const refusal = { choices: [{ index: 0, message: { role: 'assistant', content: null, refusal: 'No.' } }] };
    for (const [path, reply] of [
      ['/v1/messages', empty],
      ['/v1/chat/completions', refusal],
    ] as const) {
      const response = JSON.stringify(reply);
      const session = recorder.record({ path, request: question, response, headers: { 'thread-id': path } });
      expect((await ask(await aReplay(recorder.store, session), question, path)).text).toBe(response);
    }
  });

  it.each([
    ['a compaction', '/v1/responses/compact', { object: 'response.compaction' }],
    ['a reply in one piece', '/v1/responses', { object: 'response', status: 'completed' }],
  ])('gives %s as JSON also in another directory', async (_what, path, fields) => {
    const recorder = aRecorder();
    const kept = { id: 'resp_1', ...fields, output: [context('/old/place'), call], usage: { input_tokens: 5 } };
    const response = JSON.stringify(kept);
    recorder.record({ headers: thread, path, request: asked('/old/place', 'Fix it'), response });
    const replay = await aReplay(recorder.store, 'thread-1');
    const { type, text } = await ask(replay, asked('/new/home', 'Fix it'), path);
    expect(type).toBe('application/json');
    expect(JSON.parse(text)).toEqual(JSON.parse(response.replaceAll('/old/place', '/new/home')));
  });

  it('gives a reply in one piece as JSON also where its bytes were not kept', async () => {
    const recorder = aRecorder();
    const kept = { id: 'resp_1', output: [said('assistant', 'It is password=0dNSr8Lq2ZpX4vTb.')] };
    const request = asked('/p', 'What is it?');
    recorder.record({ headers: thread, request, response: JSON.stringify(kept) });
    const { type, text } = await ask(await aReplay(recorder.store, 'thread-1'), request);
    expect([type, JSON.parse(text)]).toEqual([
      'application/json',
      { id: 'resp_1', output: [said('assistant', 'It is password=[redacted]')] },
    ]);
  });

  it('makes events of a WebSocket’s messages, those of many lines too', async () => {
    const recorder = aRecorder();
    const frame = (value: object, mask: Buffer) => {
      const text = Buffer.from(JSON.stringify(value, null, 2).replaceAll('\n', '\r\n'));
      const length = [mask.length > 0 ? 0xfe : 126, text.length >> 8, text.length & 255];
      return Buffer.concat([Buffer.from([0x81, ...length]), mask, text]);
    };
    const put = (direction: 'up' | 'down', bytes: Buffer) =>
      recorder.accept({ kind: 'bytes', connection: 1, direction, bytes, atMs: Date.now() });
    const request = asked('/p', 'Hello');
    const reply = { id: 'r', status: 'completed', output: [said('assistant', 'done '.repeat(30))] };
    recorder.accept({ kind: 'open', connection: 1, origin: anOrigin() });
    put(
      'up',
      Buffer.from('GET /v1/responses HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nthread-id: thread-1\r\n\r\n'),
    );
    put('down', Buffer.from('HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n'));
    put('up', frame({ type: 'response.create', ...request }, Buffer.alloc(4)));
    put('down', frame({ type: 'response.completed', response: reply }, Buffer.alloc(0)));
    recorder.accept({ kind: 'close', connection: 1, atMs: Date.now() });
    const { text } = await ask(await aReplay(recorder.store, 'thread-1'), request);
    const events: SseEvent[] = [];
    new SseParser(event => events.push(event)).push(Buffer.from(text));
    expect(events.map(({ event, data }) => [event, JSON.parse(data)])).toEqual([
      ['response.completed', { type: 'response.completed', response: reply }],
    ]);
    expect(text.match(/^(?!event: |data: ).+$/m)).toBeNull();
  });

  it('goes on past a reply that its API broke off, as it came, and prefers a whole one', async () => {
    const recorder = aRecorder();
    const request = asked('/old/place', 'Tell all');
    const half = said('assistant', 'Half of /old/place');
    const brokenOff = (reason: string, ...output: object[]) => {
      const details = { status: 'incomplete', incomplete_details: { reason } };
      return sse({ type: 'response.incomplete', response: { id: reason, ...details, output, usage: {} } });
    };
    const response = brokenOff('max_output_tokens', half);
    const onward = asked('/old/place', 'Tell all', half, said('user', 'Go on'));
    recorder.record({ headers: thread, request, response });
    recorder.record({ headers: thread, request: onward, response: aReply([said('assistant', 'The other half.')]) });
    const replay = await aReplay(recorder.store, 'thread-1');
    expect(await ask(replay, request)).toMatchObject({ status: 200, text: response });
    expect((await ask(replay, onward)).text).toContain('The other half.');
    const elsewhere = (await ask(replay, asked('/new/home', 'Tell all'))).text;
    expect(elsewhere).toMatch(/\nevent: response\.incomplete\n.*"incomplete_details":\{"reason":"max_output_tokens"\}/);
    expect(elsewhere).toContain('Half of /new/home');
    recorder.record({ headers: thread, request, response: aReply([said('assistant', 'All.')]) });
    recorder.record({ headers: thread, request, response: brokenOff('content_filter', half) });
    recorder.record({ headers: thread, request: asked('/p', 'Nothing'), response: brokenOff('max_output_tokens') });
    const later = await aReplay(recorder.store, 'thread-1');
    expect((await ask(later, request)).text).toContain('All.');
    expect(await ask(later, asked('/p', 'Nothing'))).toMatchObject({ status: 400 });
  });

  it.each([
    [
      '/v1/messages',
      sse(
        { type: 'message_start', message: { id: 'm1', model: 'm', usage: { input_tokens: 3, output_tokens: 1 } } },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'Half' } },
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 2 } },
        { type: 'message_stop' },
      ),
    ],
    [
      '/v1/chat/completions',
      `${sse({ id: 'c', choices: [{ index: 0, delta: { content: 'Half' }, finish_reason: 'length' }] })}data: [DONE]\n\n`,
    ],
  ])('gives again what ended at the limit of tokens at %s', async (path, response) => {
    const recorder = aRecorder();
    const request = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };
    const replay = await aReplay(recorder.store, recorder.record({ path, request, response }));
    expect(await ask(replay, request, path)).toMatchObject({ status: 200, text: response });
  });

  it('leaves what asks no model unanswered without calling it a difference, and only that', async () => {
    const { store } = aSession();
    const replay = await aReplay(store, 'thread-1');
    expect(await ask(replay, { attributes: { id: 'x' } }, '/v2/flags/of-tomorrow')).toMatchObject({ status: 404 });
    expect(replay.failures()).toEqual([]);
    expect(await ask(replay, { model: 'llama3', prompt: 'Hello' }, '/api/generate')).toMatchObject({ status: 400 });
    expect(await ask(replay, { prompt: 'Hello' }, '/v1/completions')).toMatchObject({ status: 400 });
    expect(replay.failures()).toHaveLength(2);
  });

  it('answers what asks no known API as it was recorded', async () => {
    const recorder = aRecorder();
    const request = { attributes: { id: 'x' } };
    const path = '/v2/flags/of-tomorrow';
    const replay = await aReplay(recorder.store, recorder.record({ path, request, response: '{"on":true}' }));
    expect(await ask(replay, request, path)).toMatchObject({ status: 200, text: '{"on":true}' });
    expect(await ask(replay, { attributes: { id: 'y' } }, path)).toMatchObject({ status: 404 });
    expect(replay.failures()).toEqual([]);
  });

  it('says so when its recording is deleted meanwhile', async () => {
    const { store, upkeep } = aSession();
    const replay = await aReplay(store, 'thread-1');
    await upkeep({ kind: 'prune', selection: { kind: 'all' } });
    expect((await ask(replay, asked('/old/place', 'List them'))).status).toBe(400);
    expect(replay.failures()).toEqual([expect.stringContaining('deleted')]);
  });

  it('needs a session with answers', async () => {
    const recorder = aRecorder();
    const request = asked('/p', 'Hello');
    recorder.record({ headers: thread, request, response: '{"error":{"message":"overloaded"}}', status: 500 });
    await expect(recordedSource(recorder.store, 'thread-1')).rejects.toThrow(/no answer of a model/);
    await expect(recordedSource(recorder.store, 'nowhere')).rejects.toThrow(/No recorded session nowhere/);
  });
});
