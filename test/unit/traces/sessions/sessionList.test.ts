import { describe, expect, it } from 'vitest';
import { aThread, threadId } from '../codexFiles/aThread.ts';
import { aHome } from './aHome.ts';

const never = new AbortController().signal;
const idOf = (number: number) => `${threadId.slice(0, -2)}${String(number).padStart(2, '0')}`;

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

it('says which agents and models there are where a filter lets nothing pass', async () => {
  const { sessions, record, codexFile } = aHome();
  const list = (filter: object) => sessions.list({ limit: 10, ...filter }, never);
  expect(await list({})).toEqual({ rows: [], next: null });
  expect((await list({ agent: 'Codex' })).known).toEqual({ agents: [], models: [] });
  record('recorded-1', '2026-01-01');
  codexFile(idOf(1), '2026-01-02', aThread().text().replaceAll('gpt-5.5', 'gpt-5.9'));
  expect((await list({ agent: 'Codex' })).known).toEqual({ agents: ['codex'], models: ['gpt-5.5', 'gpt-5.9'] });
  expect(await list({ agent: 'codex' })).not.toHaveProperty('known');
  expect(await list({ model: 'x', before: '1~a' })).not.toHaveProperty('known');
});

describe('one damaged session', () => {
  it('hides no other one, on no page, and is there as far as it can be read', async () => {
    const { sessions, record, codexFile, damage } = aHome();
    for (let number = 1; number <= 4; number++) {
      record(idOf(number), `2026-01-0${number}`);
      codexFile(idOf(number), `2026-01-0${number}`);
    }
    damage(`UPDATE sessions SET ended_ms = 9e15 WHERE id = '${idOf(2)}';
      UPDATE usage_totals SET cost_kind = 'odd' WHERE session_seq = (SELECT seq FROM sessions WHERE id = '${idOf(3)}')`);
    for (const limit of [1, 2, 3, 10]) {
      const seen: string[] = [];
      let before: string | undefined;
      do {
        const page = await sessions.list({ limit, before }, never);
        seen.push(...page.rows.map(({ id }) => id));
        before = page.next ?? undefined;
      } while (before !== undefined);
      expect(seen).toEqual([idOf(4), idOf(3), idOf(1)]);
    }
    const { rows } = await sessions.list({ limit: 10 }, never);
    expect(rows[1]).toMatchObject({ usage: { inputTokens: null }, cost: { kind: 'none' }, models: [] });
    expect((await sessions.search({ words: ['hi'], limit: 10 }, never)).hits).toEqual([]);
  });

  it('is named where it can’t be read, with what is wrong, and keeps no other one from being read', async () => {
    const { sessions, record, damage } = aHome();
    record('damaged', '2026-01-01');
    record('whole', '2026-01-02');
    damage(`UPDATE exchanges SET cost_kind = 'odd' WHERE session_id = 'damaged'`);
    const fault = {
      code: 'internal',
      message: expect.stringMatching(/damaged can't be read: cost_kind: /),
      hint: expect.stringContaining('codex-coach doctor'),
    };
    const sessionId = 'damaged';
    for (const ask of [
      () => sessions.show({ sessionId }, never),
      () => sessions.summary({ sessionId }, never),
      () => sessions.exchanges({ sessionId }, never),
      () => sessions.events({ id: sessionId }, never),
      () => sessions.export({ sessionId, format: 'clean', force: false, content: false }, never),
    ]) {
      await expect(async () => ask()).rejects.toMatchObject(fault);
    }
    expect((await sessions.show({ sessionId: 'whole' }, never)).exchanges).toHaveLength(1);
    damage(`UPDATE usage_totals SET cost_kind = 'odd'`);
    await expect(async () => sessions.stats({ days: 3650, by: ['day'] }, never)).rejects.toMatchObject({
      message: expect.stringContaining("What sessions add up to can't be read: "),
    });
  });
});

it('has a full page of what can be read, so that no older file stands before what is not listed yet', async () => {
  const { sessions, record, codexFile, damage } = aHome();
  for (let number = 1; number <= 8; number++) record(`recorded-${number}`, `2026-01-0${number}`);
  for (let number = 1; number <= 4; number++) codexFile(idOf(number), `2025-12-0${number}`);
  damage(`UPDATE sessions SET title = x'00ff' WHERE id IN ('recorded-1', 'recorded-5', 'recorded-6', 'recorded-7')`);
  const listed = ['recorded-8', 'recorded-4', 'recorded-3', 'recorded-2', ...[4, 3, 2, 1].map(idOf)];
  for (const limit of [1, 2, 3, 4, 8]) {
    const pages: string[][] = [];
    for (let before: string | null | undefined; before !== null; ) {
      const page = await sessions.list({ limit, before }, never);
      pages.push(page.rows.map(({ id }) => id));
      before = page.next;
    }
    expect(pages.flat()).toEqual(listed);
    expect(pages).toHaveLength(Math.ceil(listed.length / limit));
  }
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

  it('finds a word in those files whichever form of its letters was written', async () => {
    const { sessions, codexFile } = aHome();
    codexFile(threadId, '2026-01-02', aThread().text().replaceAll('Say hi.', 'Ο Λόγος της Straße: हिन्दी'));
    for (const words of ['λόγος', 'ΛΌΓΟΣ', 'STRAẞE', 'हिन्दी']) {
      expect([words, (await sessions.search({ words: [words], limit: 10 }, never)).hits.length]).toEqual([words, 1]);
    }
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
    for (const exchangeId of ['s1', 'latest']) {
      expect((await sessions.changes({ exchangeId }, never)).exchange.id).toBe(second?.id);
    }
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

  it('counts in the statistics of the days that are asked for, the first and the last with them', async () => {
    const { sessions, record } = aHome(Date.parse('2026-01-10T12:00:00Z'));
    for (const day of ['01', '05', '06', '10']) record('s1', `2026-01-${day}T23:30:00Z`);
    const stats = async (request: object) => {
      const { rows, total } = await sessions.stats({ days: 30, by: ['day'], ...request }, never);
      return [rows.map(({ day }) => day?.slice(-2)).join(' '), total?.sessions, total?.exchanges];
    };
    expect(await stats({})).toEqual(['10 06 05 01', 1, 4]);
    expect(await stats({ days: 5 })).toEqual(['10 06', 1, 2]);
    expect(await stats({ since: '2026-01-05', until: '2026-01-06' })).toEqual(['06 05', 1, 2]);
    expect(await stats({ days: 2, until: '2026-01-06' })).toEqual(['06 05', 1, 2]);
    expect(await stats({ days: 2, since: '2026-01-06' })).toEqual(['10 06', 1, 2]);
    await expect(stats({ since: '2026-01-06', until: '2026-01-05' })).rejects.toMatchObject({
      code: 'input.invalid',
      message: '--since 2026-01-06 is after --until 2026-01-05.',
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
    expect(await ask({ all: true })).toEqual({ sessions: 2, codexFiles: 0, deleted: null });
    expect(await ask({ before: '5d' })).toEqual({ sessions: 1, codexFiles: 0, deleted: null });
    expect(await ask({ session: ['s2'] })).toEqual({ sessions: 1, codexFiles: 0, deleted: null });
    expect(await ask({ before: '30000d' })).toEqual({ sessions: 0, codexFiles: 0, deleted: null });
    await expect(ask({})).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(ask({ session: ['none'] })).rejects.toMatchObject({ code: 'session.missing' });
    expect((await sessions.list({ limit: 10 }, never)).rows).toHaveLength(2);
  });

  it('says of how many Codex has a file of its own, which is listed again', async () => {
    const { sessions, record, codexFile, prune } = aHome();
    record('s1', '2026-01-01');
    for (const [number, day] of [1, 2, 3].entries()) {
      codexFile(idOf(number), `2026-01-0${day}`);
      record(idOf(number), `2026-01-0${day}`);
    }
    codexFile(idOf(9), '2026-01-09');
    const ask = (request: object) => sessions.prune({ all: false, yes: false, ...request }, never);
    expect(await ask({ all: true })).toEqual({ sessions: 4, codexFiles: 3, deleted: null });
    expect(await ask({ before: '8d' })).toMatchObject({ sessions: 2, codexFiles: 1 });
    expect(await ask({ session: ['s1', idOf(2)] })).toMatchObject({ sessions: 2, codexFiles: 1 });
    await prune(idOf(2));
    expect((await sessions.list({ limit: 10 }, never)).rows.map(row => row.source)).toContain('codexFile');
  });

  it('takes replays away for good: Codex’s own file of one tells of tokens that nobody used', async () => {
    const { sessions, record, replayed, codexFile, prune } = aHome();
    for (const number of [1, 2]) {
      codexFile(idOf(number), '2026-01-02');
      record(idOf(number), '2026-01-02', replayed);
    }
    record(idOf(2), '2026-01-03');
    const ask = (request: object) => sessions.prune({ all: false, yes: false, ...request }, never);
    expect(await ask({ all: true })).toMatchObject({ sessions: 2, codexFiles: 1 });
    await prune(idOf(1), idOf(2));
    expect((await sessions.list({ limit: 10 }, never)).rows.map(({ id }) => id)).toEqual([idOf(2)]);
    expect((await sessions.search({ words: ['ECHO hi'], limit: 10 }, never)).hits).toHaveLength(1);
    await expect(async () => sessions.show({ sessionId: idOf(1) }, never)).rejects.toMatchObject({
      code: 'session.missing',
    });
  });

  it('takes damaged ones too', async () => {
    const { sessions, record, damage } = aHome();
    for (const id of ['s1', 's2', 's3']) record(id, '2026-01-01');
    damage(`UPDATE sessions SET title = x'00ff' WHERE id <> 's3'; UPDATE sessions SET ended_ms = 9e15 WHERE id = 's2'`);
    const ask = (request: object) => sessions.prune({ all: false, yes: false, ...request }, never);
    expect(await ask({ session: ['s1', 's2'] })).toEqual({ sessions: 2, codexFiles: 0, deleted: null });
    expect(await ask({ before: '5d' })).toEqual({ sessions: 2, codexFiles: 0, deleted: null });
    expect(await ask({ all: true })).toEqual({ sessions: 3, codexFiles: 0, deleted: null });
  });

  it('takes those that are listed before a date, which begins at local midnight', async () => {
    const { sessions, record } = aHome();
    record('before', '2026-01-04T23:59:00');
    record('on it', '2026-01-05T00:00:00');
    const ask = (before: string) => sessions.prune({ before, all: false, yes: false }, never);
    expect([await ask('2026-01-05'), await ask('2026-01-06')]).toMatchObject([{ sessions: 1 }, { sessions: 2 }]);
  });
});
