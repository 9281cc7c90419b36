import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CodexSessionFiles, codexSessionDirectories } from '../../../../server/traces/codexFiles/codexSessionFiles.ts';
import { toCleanSession } from '../../../../server/traces/exports/export.ts';
import { Redactor } from '../../../../server/traces/redaction/redaction.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { aThread, threadId } from './aThread.ts';

function filesIn(directory: string): CodexSessionFiles {
  return new CodexSessionFiles([directory], new Redactor());
}

function write(directory: string, content: string | Buffer, ending = '.jsonl', id = threadId): void {
  const day = join(directory, '2026', '11', '21');
  mkdirSync(day, { recursive: true });
  writeFileSync(join(day, `rollout-2026-11-21T15-00-34-${id}${ending}`), content);
}

async function summaryOf(directory: string) {
  const files = filesIn(directory);
  const [file] = await files.list();
  if (file === undefined) throw new Error('No session file found.');
  return files.summary(file);
}

describe('Codex’s own session files', () => {
  it('are sessions: title, model, directory, times, and the tokens of each request', async () => {
    const directory = temporaryDirectory();
    write(directory, aThread().text());
    expect(await summaryOf(directory)).toEqual({
      id: threadId,
      agent: 'codex',
      title: 'Say hi.',
      startedAt: '2026-11-21T15:00:00.000Z',
      endedAt: '2026-11-21T15:00:09.000Z',
      exchanges: 2,
      models: ['gpt-5.5'],
      usage: { inputTokens: 3000, cachedInputTokens: 1010, outputTokens: 72, reasoningTokens: 7 },
      cost: { amountUsd: expect.closeTo(0.0126, 3), kind: 'priced' },
      repository: '/home/me/project',
      source: 'codexFile',
    });
    const reader = await filesIn(directory).load(threadId);
    expect(reader?.exchangesOfSession(threadId).map(each => [each.startedAt, each.durationMs])).toEqual([
      ['2026-11-21T15:00:03.000Z', 3000],
      ['2026-11-21T15:00:07.000Z', 2000],
    ]);
    expect(reader?.conversation(threadId).map(item => [item.exchangeId.slice(-2), item.kind, item.text])).toEqual([
      ['#1', 'system', 'You are Codex.'],
      ['#1', 'user', 'Say hi.'],
      ['#1', 'reasoning', 'Thinking'],
      ['#1', 'toolCall', '{"cmd":"echo hi"}'],
      ['#2', 'toolOutput', 'Process exited with code 0\nhi'],
      ['#2', 'assistant', 'Done.'],
    ]);
  });

  it('read the same when Codex has compressed them', async () => {
    const plain = temporaryDirectory();
    write(plain, aThread().text());
    const expected = await summaryOf(plain);
    for (const [ending, content] of [
      ['.jsonl.zst', zstdCompressSync(aThread().text())],
      ['.jsonl.gz', gzipSync(aThread().text())],
    ] as const) {
      const directory = temporaryDirectory();
      write(directory, content, ending);
      expect(await summaryOf(directory)).toEqual(expected);
    }
  });

  it('read the same when they were compressed in several frames, some of them empty or cut anywhere', async () => {
    const directory = temporaryDirectory();
    const text = Buffer.from(aThread({ output: 'ü'.repeat(200_000) }).text());
    const cuts = [0, 1, 700, 700, 1500, 150_000, text.length];
    const parts = cuts.slice(1).map((end, at) => text.subarray(cuts[at], end));
    write(directory, text);
    const [file] = await filesIn(directory).list();
    const expected = (await filesIn(directory).load(file?.id ?? ''))?.conversation(threadId);
    expect(expected).toHaveLength(6);
    for (const frames of [parts, text.toString().match(/[\s\S]{1,400}/g) ?? []]) {
      const packed = temporaryDirectory();
      write(packed, Buffer.concat(frames.map(part => zstdCompressSync(part))), '.jsonl.zst');
      const reader = await filesIn(packed).load(threadId);
      expect(reader?.conversation(threadId)).toEqual(expected);
      expect(reader?.requireSession(threadId)).toMatchObject({ exchanges: 2, usage: { inputTokens: 3000 } });
    }
  });

  it('do not count a token twice when Codex repeats its totals, in files from before per-request records', async () => {
    const directory = temporaryDirectory();
    write(directory, aThread({ records: false, repeatCounts: true }).text());
    expect(await summaryOf(directory)).toMatchObject({ exchanges: 2, usage: { inputTokens: 3000, outputTokens: 72 } });
  });

  it('do not count the history that a fork was begun with', async () => {
    const directory = temporaryDirectory();
    const fork = '01a1fea1-a2f3-7353-92b7-28c95153d9d0';
    write(directory, aThread({ forkId: fork, records: false }).text(), '.jsonl', fork);
    const files = filesIn(directory);
    const reader = await files.load(fork);
    expect(reader?.requireSession(fork)).toMatchObject({ exchanges: 1, usage: { inputTokens: 500, outputTokens: 5 } });
    expect(reader?.conversation(fork).map(item => item.text)).toEqual(expect.arrayContaining(['Say hi.', 'Forked.']));
  });

  it('mark what the model said before the fork as copied, as in a session that is resumed', async () => {
    for (const records of [false, true]) {
      const directory = temporaryDirectory();
      const fork = '01a1fea1-a2f3-7353-92b7-28c95153d9d0';
      write(directory, aThread({ forkId: fork, records }).text(), '.jsonl', fork);
      const reader = await filesIn(directory).load(fork);
      if (reader === null) throw new Error('The session is not there.');
      const said = reader.conversation(fork).map(item => [item.kind, item.isCopied ?? false]);
      expect(said).toEqual([
        ['system', false],
        ['user', false],
        ['reasoning', true],
        ['toolCall', true],
        ['toolOutput', false],
        ['assistant', true],
        ['user', false],
        ['assistant', false],
      ]);
    }
  });

  it('have nothing copied in a fork that only names the file it goes on from', async () => {
    const directory = temporaryDirectory();
    const base = { thread_id: '01a1fea1-a2f3-7353-92b7-28c95153d9d0', end_ordinal_exclusive: 42, end_byte_offset: 9 };
    const [meta = '', ...rest] = aThread().lines;
    const { payload, ...line } = JSON.parse(meta) as { payload: object };
    const forked = { ...payload, forked_from_id: base.thread_id, history_base: base };
    write(directory, [JSON.stringify({ ...line, payload: forked }), ...rest].join('\n'));
    const reader = await filesIn(directory).load(threadId);
    expect(reader?.requireSession(threadId)).toMatchObject({ exchanges: 2, usage: { inputTokens: 3000 } });
    expect(reader?.conversation(threadId).filter(item => item.isCopied)).toEqual([]);
  });

  it('leave out lines that are not known, not whole or not JSON, and keep the rest', async () => {
    const directory = temporaryDirectory();
    const noise = [
      '',
      'no json',
      '{"type":"session_meta"}',
      '{"timestamp":1}',
      '[]',
      '{"type":"new_thing","payload":{}}',
    ];
    const lines = aThread().lines.flatMap(line => [...noise, line]);
    write(directory, `${lines.join('\n')}\n{"timestamp":"2026-11-21T15:00:10.000Z","type":"respo`);
    expect(await summaryOf(directory)).toMatchObject({ exchanges: 2, usage: { inputTokens: 3000 } });
  });

  it('leave out events of no use by their first characters, whatever stands in them, and nothing else', async () => {
    const directory = temporaryDirectory();
    const printed = 'x'.repeat(3_000_000);
    const start = '{"timestamp":"2026-11-21T15:00:04.000Z","ordinal":9,"type":"event_msg","payload":{';
    const events = ['"type":"item_completed","item":"', '"type":"agent_message","type":"token_count","message":"'];
    const noise = events.map(event => `${start}${event}${printed}"}}`);
    const lines = aThread({ records: false, output: 'ü "type":"event_msg" '.repeat(100_000) }).lines;
    // As another version might write it: only parsing tells.
    const turned = lines.map(line => {
      const { timestamp, type, payload } = JSON.parse(line) as Record<string, unknown>;
      return JSON.stringify({ payload, type, timestamp });
    });
    for (const written of [lines, turned]) {
      write(directory, `${written.flatMap(line => [...noise, line]).join('\n')}\n`);
      expect(await summaryOf(directory)).toMatchObject({ exchanges: 2, usage: { inputTokens: 3000 } });
      const reader = await filesIn(directory).load(threadId);
      expect(reader?.conversation(threadId)).toHaveLength(6);
      expect(reader?.conversation(threadId).at(-2)?.text).toMatch(/(ü "type":"event_msg" ){100000}$/);
    }
  });

  it('begin before they are read whole: the first lines are those of the whole, only the sums are not', async () => {
    const directory = temporaryDirectory();
    const thread = aThread({ records: false, output: 'y'.repeat(600_000) });
    write(directory, thread.text());
    const files = filesIn(directory);
    const [opening, whole] = [await files.loadOpening(threadId), await files.load(threadId)];
    expect(opening?.isWhole).toBe(false);
    const said = (reader = whole) => (reader?.conversation(threadId) ?? []).map(({ kind, text }) => kind + text.length);
    expect(said(opening?.reader).length).toBeGreaterThan(3);
    expect(said().slice(0, said(opening?.reader).length)).toEqual(said(opening?.reader));
    write(directory, aThread().text());
    expect((await files.loadOpening(threadId))?.isWhole).toBe(true);
    expect(await files.loadOpening('no such session')).toBeNull();
  });

  it('stand with what could be read when the compressed file is cut off', async () => {
    const directory = temporaryDirectory();
    const whole = zstdCompressSync(aThread().text());
    write(directory, whole.subarray(0, whole.length - 20), '.jsonl.zst');
    expect(await summaryOf(directory)).toMatchObject({ id: threadId, agent: 'codex' });
  });

  it('say subscription when the login was one, and leave the price of an unknown provider open', async () => {
    for (const [options, kind] of [
      [{ plan: 'pro' }, 'subscription'],
      [{ provider: 'my-gateway' }, 'unpriced'],
    ] as const) {
      const directory = temporaryDirectory();
      write(directory, aThread(options).text());
      expect((await summaryOf(directory)).cost).toEqual({ amountUsd: null, kind });
    }
  });

  it('price no request of a turn whose model is not told yet as one of the turn before', async () => {
    const thread = (broken: boolean) => {
      const { lines } = aThread();
      const put = (type: string, payload: object) =>
        lines.push(JSON.stringify({ timestamp: '2026-11-21T15:01:00.000Z', ordinal: lines.length, type, payload }));
      const usage = { input_tokens: 100, output_tokens: 10 };
      const say = (role: string, text: string) =>
        put('response_item', { type: 'message', role, content: [{ type: 'output_text', text }] });
      if (broken) {
        say('user', 'And then?');
        say('assistant', 'This answer broke off.');
      }
      put('event_msg', { type: 'task_started' });
      put('token_usage_record', { thread_id: threadId, usage });
      put('turn_context', { model: 'gpt-5.4-mini' });
      say('user', 'Go on.');
      say('assistant', 'With another model.');
      put('token_usage_record', { thread_id: threadId, usage });
      return lines.join('\n');
    };
    for (const broken of [false, true]) {
      const directory = temporaryDirectory();
      write(directory, thread(broken));
      const reader = await filesIn(directory).load(threadId);
      const told = reader
        ?.exchangesOfSession(threadId)
        .map(each => [each.model, each.usage.inputTokens, each.cost.kind]);
      expect(told?.slice(-2)).toEqual([
        [null, 100, 'unpriced'],
        ['gpt-5.4-mini', 100, 'priced'],
      ]);
      expect(told).toHaveLength(broken ? 5 : 4);
    }
  });

  it('answer a prompt in the turn that takes it up', async () => {
    const directory = temporaryDirectory();
    const { lines } = aThread();
    const put = (type: string, payload: object) =>
      lines.push(JSON.stringify({ timestamp: '2026-11-21T15:01:00.000Z', ordinal: lines.length, type, payload }));
    const say = (role: string, text: string) =>
      put('response_item', { type: 'message', role, content: [{ type: 'output_text', text }] });
    say('user', 'Nobody answered this.');
    put('event_msg', { type: 'task_started' });
    put('turn_context', { model: 'gpt-5.4-mini' });
    say('user', 'Go on.');
    say('assistant', 'Both at once.');
    put('token_usage_record', { thread_id: threadId, usage: { input_tokens: 100, output_tokens: 10 } });
    write(directory, lines.join('\n'));
    const reader = await filesIn(directory).load(threadId);
    const told = reader?.exchangesOfSession(threadId).map(each => [each.model, each.usage.inputTokens]);
    expect(told?.slice(2)).toEqual([['gpt-5.4-mini', 100]]);
  });

  it('price what a fork does as the model that it goes on with', async () => {
    const directory = temporaryDirectory();
    const fork = '01a1fea1-a2f3-7353-92b7-28c95153d9d0';
    const lines = aThread({ forkId: fork, records: false }).lines;
    const at = lines.findLastIndex(line => line.includes('turn_context'));
    lines[at] = lines[at]?.replace('gpt-5.5', 'gpt-5.4-mini') ?? '';
    write(directory, lines.join('\n'), '.jsonl', fork);
    expect(await summaryOf(directory)).toMatchObject({ exchanges: 1, models: ['gpt-5.4-mini'] });
  });

  it('give away no secret, in the list as in an export', async () => {
    const directory = temporaryDirectory();
    const key = `sk-proj-${'a1B2'.repeat(12)}`;
    write(directory, aThread({ prompt: `Use ${key}`, output: `OPENAI_API_KEY=${key}` }).text());
    const reader = await filesIn(directory).load(threadId);
    if (reader === null) throw new Error('The session is not there.');
    expect(JSON.stringify([await summaryOf(directory), toCleanSession(reader, threadId)])).not.toContain(key);
  });

  it('have no secret in a title that ends in the middle of it', async () => {
    const directory = temporaryDirectory();
    const key = `npm_${'abcdefghijKLMNOPQRST'}0123456789abcdEF`;
    write(directory, aThread({ prompt: `${'a '.repeat(45)}${key} ok` }).text());
    expect((await summaryOf(directory)).title).toBe(`${'a '.repeat(45)}[redacted] ok`);
  });

  it('are read again when they have grown', async () => {
    const directory = temporaryDirectory();
    const files = filesIn(directory);
    const thread = aThread();
    const list = async () => Promise.all((await files.list()).map(file => files.summary(file)));
    write(directory, thread.lines.slice(0, 7).join('\n'));
    expect(await list()).toMatchObject([{ exchanges: 1 }]);
    write(directory, thread.text());
    expect(await list()).toMatchObject([{ exchanges: 2 }]);
  });

  it('are taken once, the newest, when a plain and a compressed file of one thread lie there', async () => {
    const directory = temporaryDirectory();
    write(directory, aThread().text());
    write(directory, zstdCompressSync(aThread().lines.slice(0, 3).join('\n')), '.jsonl.zst');
    const old = new Date('2026-01-01');
    utimesSync(join(directory, '2026', '11', '21', `rollout-2026-11-21T15-00-34-${threadId}.jsonl.zst`), old, old);
    expect(await filesIn(directory).list()).toHaveLength(1);
    expect(await summaryOf(directory)).toMatchObject({ exchanges: 2 });
  });

  it('are found below directories that are links, once, also where links lead in circles or nowhere', async () => {
    const [directory, elsewhere] = [temporaryDirectory(), temporaryDirectory()];
    write(elsewhere, aThread().text());
    const other = '01a1fea1-a2f3-7353-92b7-28c95153d9d0';
    write(directory, aThread().text(), '.jsonl', other);
    symlinkSync(join(elsewhere, '2026'), join(directory, '2027'));
    symlinkSync(join(elsewhere, '2026', '11'), join(directory, '2026', '12'));
    symlinkSync(join(elsewhere, '2026', '11', '21'), join(directory, '2026', '11', '22'));
    symlinkSync(directory, join(directory, '2026', '11', '23'));
    symlinkSync(join(directory, '2026', '11', 'gone'), join(directory, '2026', '11', '24'));
    const found = await filesIn(directory).list();
    expect(found.map(({ id }) => id).sort()).toEqual([threadId, other].sort());
    expect((await filesIn(directory).load(threadId))?.requireSession(threadId)).toMatchObject({ exchanges: 2 });
  });

  it('are looked for in CODEX_TRACE_HOME, else in CODEX_HOME, else in ~/.codex, the archived ones too', async () => {
    expect(codexSessionDirectories({ HOME: '/home/me' }, '')).toEqual([
      '/home/me/.codex/sessions',
      '/home/me/.codex/archived_sessions',
    ]);
    expect(codexSessionDirectories({ CODEX_HOME: '/c' }, '')[0]).toBe('/c/sessions');
    expect(codexSessionDirectories({ CODEX_HOME: '/c' }, '/t')).toEqual(['/t', '/t/sessions', '/t/archived_sessions']);
    expect(await filesIn('/nowhere').list()).toEqual([]);
  });
});
