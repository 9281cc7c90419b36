import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CodexSessionFiles } from '../../../server/traces/codexFiles/codexSessionFiles.ts';
import { sessionHandlers } from '../../../server/traces/handlers.ts';
import { readInThisThread } from '../../../server/traces/reader/readerInThisThread.ts';
import { Redactor } from '../../../server/traces/redaction.ts';
import { aThread, threadId } from './codexFiles/aThread.ts';
import { aRecorder, aReply, said } from './recordedTraffic.ts';

const never = new AbortController().signal;
const idOf = (number: number) => `${threadId.slice(0, -2)}${String(number).padStart(2, '0')}`;

/** A trace store and session files of Codex beside it. */
function aHome(nowMs = Date.parse('2026-01-10')) {
  const recorder = aRecorder();
  const codexHome = join(recorder.directory, 'codex', '2026');
  mkdirSync(codexHome, { recursive: true });
  const upkeep = async () => null;
  const reader = readInThisThread({ tracesDb: recorder.file, codexDirectories: [codexHome] });
  onTestFinished(() => reader.dispose());
  const sessions = sessionHandlers({
    reader,
    store: recorder.store,
    files: new CodexSessionFiles([codexHome], new Redactor()),
    recorder: { upkeep },
    clock: { now: () => nowMs },
  });
  return {
    sessions,
    record: (id: string, at: string) =>
      recorder.record(
        {
          request: { model: 'gpt-5.5', input: [said('user', `Recorded ${id}`)] },
          response: aReply([]),
          headers: { 'thread-id': id },
        },
        Date.parse(at),
      ),
    codexFile(id: string, at: string, content = aThread().text()) {
      const file = join(codexHome, `rollout-2026-01-01T00-00-00-${id}.jsonl`);
      writeFileSync(file, content.replaceAll(threadId, id));
      utimesSync(file, new Date(at), new Date(at));
    },
  };
}

describe('the list of sessions', () => {
  it('has recorded ones and Codex’s own, newest first, each with its source', async () => {
    const { sessions, record, codexFile } = aHome();
    record('recorded-1', '2026-01-01');
    codexFile(idOf(1), '2026-01-02');
    record('recorded-2', '2026-01-03');
    const { rows, next } = await sessions.list({ limit: 10 }, never);
    expect(rows.map(row => [row.id, row.source])).toEqual([
      ['recorded-2', 'proxy'],
      [idOf(1), 'codexFile'],
      ['recorded-1', 'proxy'],
    ]);
    expect(next).toBeNull();
  });

  it('has a thread once when the proxy recorded it, with the recorded figures', async () => {
    const { sessions, record, codexFile } = aHome();
    record(threadId, '2026-01-01');
    codexFile(threadId, '2026-01-02');
    const { rows } = await sessions.list({ limit: 10 }, never);
    expect(rows).toMatchObject([{ id: threadId, source: 'proxy', usage: { inputTokens: 10 } }]);
    expect((await sessions.show({ sessionId: threadId }, never)).session.source).toBe('proxy');
  });

  it('pages through both without a gap or a repeat, whatever the page size', async () => {
    const { sessions, record, codexFile } = aHome();
    for (let number = 1; number <= 7; number++) {
      record(`recorded-${number}`, `2026-01-0${number}`);
      codexFile(idOf(number), `2026-01-0${number}`);
    }
    const whole = (await sessions.list({ limit: 100 }, never)).rows.map(row => row.id);
    expect(whole).toHaveLength(14);
    for (const limit of [1, 2, 3, 5, 14]) {
      const seen: string[] = [];
      let before: string | undefined;
      do {
        const page = await sessions.list({ limit, before }, never);
        expect(page.rows.length).toBeLessThanOrEqual(limit);
        seen.push(...page.rows.map(row => row.id));
        before = page.next ?? undefined;
      } while (before !== undefined);
      expect(seen).toEqual(whole);
    }
  });

  it('refuses a cursor that is none, instead of beginning anew', async () => {
    const { sessions } = aHome();
    await expect(sessions.list({ limit: 3, before: '30d' }, never)).rejects.toThrow('"30d" is no cursor');
  });

  it('is narrowed by agent, model, directory, time and title', async () => {
    const { sessions, record, codexFile } = aHome();
    record('recorded-1', '2026-01-01');
    codexFile(idOf(1), '2026-01-09');
    const ids = async (filter: object) =>
      (await sessions.list({ limit: 10, ...filter }, never)).rows.map(row => row.id);
    expect(await ids({ agent: 'codex' })).toEqual([idOf(1)]);
    expect(await ids({ agent: 'claude' })).toEqual([]);
    expect(await ids({ model: 'gpt-5.5' })).toHaveLength(2);
    expect(await ids({ model: 'gpt-4' })).toEqual([]);
    expect(await ids({ repository: '/home/me' })).toEqual([idOf(1)]);
    expect(await ids({ repository: '/home/m' })).toEqual([]);
    expect(await ids({ since: '2d' })).toEqual([idOf(1)]);
    expect(await ids({ since: '2026-01-01' })).toHaveLength(2);
    expect(await ids({ text: 'SAY' })).toEqual([idOf(1)]);
  });

  it('gives show, summary and exports for what only Codex’s file knows', async () => {
    const { sessions, codexFile } = aHome();
    codexFile(threadId, '2026-01-02');
    expect((await sessions.show({ sessionId: threadId }, never)).conversation).toHaveLength(6);
    expect(await sessions.summary({ sessionId: threadId }, never)).toMatchObject({ turns: 1, tools: [{ calls: 1 }] });
    for (const format of ['clean', 'atif', 'otlp', 'html'] as const) {
      const outcome = await sessions.export(
        { sessionId: threadId, format, force: false, content: format === 'otlp' },
        never,
      );
      expect(outcome.text).toContain('echo hi');
    }
    await expect(async () => sessions.events({ id: threadId }, never)).rejects.toMatchObject({
      code: 'session.missing',
    });
    await expect(async () => sessions.show({ sessionId: 'none' }, never)).rejects.toMatchObject({
      code: 'session.missing',
    });
  });
});

it('leaves out files of Codex in which nothing was answered', async () => {
  const { sessions, codexFile } = aHome();
  codexFile(idOf(1), '2026-01-02');
  codexFile(idOf(2), '2026-01-03', '');
  codexFile(idOf(3), '2026-01-04', '{"id":"x","timestamp":"2025-04-20T10:00:00Z"}\n{"role":"user","content":[]}\n');
  const { rows } = await sessions.list({ limit: 1 }, never);
  expect(rows.map(({ id }) => id)).toEqual([idOf(1)]);
});

describe('search', () => {
  it('looks into Codex’s own files too, after what was recorded, and shows the words in their place', async () => {
    const { sessions, record, codexFile } = aHome();
    codexFile(threadId, '2026-01-02');
    record(idOf(1), '2026-01-03');
    codexFile(idOf(1), '2026-01-03');
    const { hits } = await sessions.search({ words: ['ECHO hi'], limit: 10 }, never);
    expect(hits).toMatchObject([
      { sessionId: threadId, exchangeId: `${threadId}#1`, title: 'Say hi.', snippet: '{"cmd":"«echo» «hi»"}' },
    ]);
    for (const words of ['nowhere', 'ech', '"hi echo"']) {
      expect((await sessions.search({ words: [words], limit: 10 }, never)).hits).toEqual([]);
    }
    expect((await sessions.search({ words: ['"Echo hï"'], limit: 10 }, never)).hits).toHaveLength(1);
  });
});

describe('a recorded exchange', () => {
  it('is shown as it went over the wire, by its id, by its session, or by its number in that', async () => {
    const { sessions, record } = aHome();
    record('s1', '2026-01-01');
    record('s1', '2026-01-02');
    const { exchanges } = await sessions.show({ sessionId: 's1' }, never);
    const [first, second] = await Promise.all([
      sessions.events({ id: 's1', number: 1 }, never),
      sessions.events({ id: 's1' }, never),
    ]);
    expect([first.exchange.id, second.exchange.id]).toEqual(exchanges.map(each => each.id));
    expect(await sessions.events({ id: first.exchange.id }, never)).toEqual(first);
    expect(JSON.parse(first.request ?? '')).toMatchObject({ model: 'gpt-5.5' });
    expect(first.events).toEqual([{ atMs: 10, text: expect.stringContaining('response.completed') }]);
    await expect(async () => sessions.events({ id: 's1', number: 3 }, never)).rejects.toMatchObject({
      code: 'input.invalid',
    });
  });

  it('is compared with the one before it', async () => {
    const { sessions, record } = aHome();
    record('s1', '2026-01-01');
    record('s1', '2026-01-02');
    const [first, second] = (await sessions.show({ sessionId: 's1' }, never)).exchanges;
    expect(await sessions.changes({ exchangeId: second?.id ?? '' }, never)).toMatchObject({
      previousId: first?.id,
      prefixKept: true,
      items: [],
    });
    await expect(async () => sessions.changes({ exchangeId: 'none' }, never)).rejects.toMatchObject({
      code: 'session.missing',
    });
  });

  it('counts for today, by the local day', async () => {
    const now = Date.parse('2026-01-05T12:00:00');
    const { sessions, record } = aHome(now);
    record('s1', '2026-01-04T23:00:00');
    record('s2', '2026-01-05T00:30:00');
    expect(await sessions.today({}, never)).toMatchObject({
      exchanges: 1,
      usage: { inputTokens: 10, outputTokens: 5 },
    });
  });

  it('comes to a follower after its cursor, and a cursor of a deleted database starts anew', async () => {
    const { sessions, record } = aHome();
    record('s1', '2026-01-01');
    const start = await sessions.latest({}, never);
    expect(start.rows).toEqual([]);
    record('s1', '2026-01-02');
    record('s2', '2026-01-03');
    const page = await sessions.latest({ after: start.next }, never);
    expect(page.rows.map(row => row.sessionId)).toEqual(['s1', 's2']);
    expect((await sessions.latest({ after: start.next, sessionId: 's2' }, never)).rows).toHaveLength(1);
    expect(await sessions.latest({ after: page.next }, never)).toEqual({ rows: [], next: page.next });
    expect(await sessions.latest({ after: 1_000_000 }, never)).toEqual({ rows: [], next: page.next });
  });
});

describe('deleting sessions', () => {
  it('says first what would go, and wants to know which', async () => {
    const { sessions, record } = aHome();
    record('s1', '2026-01-01');
    record('s2', '2026-01-09');
    const ask = (request: object) => sessions.prune({ all: false, yes: false, ...request }, never);
    expect(await ask({ all: true })).toEqual({ sessions: 2, deleted: null });
    expect(await ask({ before: '5d' })).toEqual({ sessions: 1, deleted: null });
    expect(await ask({ session: ['s2'] })).toEqual({ sessions: 1, deleted: null });
    await expect(ask({})).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(ask({ session: ['none'] })).rejects.toMatchObject({ code: 'session.missing' });
    expect((await sessions.list({ limit: 10 }, never)).rows).toHaveLength(2);
  });
});
