import { describe, expect, it } from 'vitest';
import { threadId } from '../codexFiles/aThread.ts';
import { aHome } from './aHome.ts';

const never = new AbortController().signal;
const idOf = (number: number) => `${threadId.slice(0, -2)}${String(number).padStart(2, '0')}`;

describe('a session’s id', () => {
  it('may be cut off wherever it is taken, as long as it begins no other one', async () => {
    const { sessions, record, codexFile } = aHome();
    record('recorded-1', '2026-01-01');
    record('recorded-20', '2026-01-01');
    record('recorded-200', '2026-01-01');
    codexFile(threadId, '2026-01-02');
    expect((await sessions.show({ sessionId: 'recorded-1' }, never)).session.id).toBe('recorded-1');
    // Whole, it is not a beginning of the other one.
    expect((await sessions.show({ sessionId: 'recorded-20' }, never)).session.id).toBe('recorded-20');
    expect((await sessions.exchanges({ sessionId: 'recorded-200' }, never)).session.id).toBe('recorded-200');
    const cut = threadId.slice(0, 4);
    expect((await sessions.show({ sessionId: cut }, never)).session.id).toBe(threadId);
    expect((await sessions.summary({ sessionId: cut }, never)).session.id).toBe(threadId);
    expect((await sessions.exchanges({ sessionId: cut }, never)).session.id).toBe(threadId);
    expect((await sessions.opening({ sessionId: cut }, never)).session.id).toBe(threadId);
    expect((await sessions.lines({ sessionId: cut, from: 0, limit: 9 }, never)).lines).not.toEqual([]);
    const exported = { sessionId: cut, format: 'clean', force: false, content: false } as const;
    expect((await sessions.export(exported, never)).text).toContain(threadId);
    await expect(async () => sessions.show({ sessionId: threadId.slice(0, 3) }, never)).rejects.toMatchObject({
      code: 'session.missing',
    });
  });

  it('may be cut off where only recorded sessions are meant', async () => {
    const { sessions, record } = aHome();
    record('recorded-1', '2026-01-01');
    record('another', '2026-01-01');
    expect((await sessions.events({ id: 'reco' }, never)).exchange.sessionId).toBe('recorded-1');
    expect((await sessions.latest({ after: 0, sessionId: 'anot' }, never)).rows).toMatchObject([
      { sessionId: 'another' },
    ]);
    expect((await sessions.latest({ after: 0, sessionId: 'to come' }, never)).rows).toEqual([]);
    const chosen = { session: ['reco', 'recorded-1', 'anot'], all: false, yes: false };
    expect(await sessions.prune(chosen, never)).toEqual({ sessions: 2, codexFiles: 0, deleted: null });
  });

  it('may be the word for the one that was active last, unless a session goes by it', async () => {
    const { sessions, record, codexFile } = aHome();
    await expect(async () => sessions.show({ sessionId: 'latest' }, never)).rejects.toMatchObject({
      code: 'session.missing',
      message: 'Nothing is recorded yet.',
    });
    record('older', '2026-01-01');
    record('newer', '2026-01-02');
    codexFile(idOf(1), '2026-01-03');
    expect((await sessions.show({ sessionId: 'latest' }, never)).session.id).toBe('newer');
    expect((await sessions.summary({ sessionId: 'latest' }, never)).session.id).toBe('newer');
    expect((await sessions.events({ id: 'latest' }, never)).exchange.sessionId).toBe('newer');
    const exported = { sessionId: 'latest', format: 'clean', force: false, content: false } as const;
    expect((await sessions.export(exported, never)).text).toContain('newer');
    record('latest', '2025-12-31');
    expect((await sessions.show({ sessionId: 'latest' }, never)).session.id).toBe('latest');
  });

  it('that begins several sessions is refused, with their ids', async () => {
    const { sessions, record, codexFile } = aHome();
    record('recorded_1', '2026-01-01');
    record('recorded-2', '2026-01-01');
    codexFile(idOf(1), '2026-01-02');
    codexFile(idOf(2), '2026-01-02');
    record(idOf(2), '2026-01-02');
    const refusal = (work: () => unknown) => expect(async () => work()).rejects;
    for (const ask of [
      () => sessions.show({ sessionId: 'recorded' }, never),
      () => sessions.events({ id: 'recorded' }, never),
      () => sessions.prune({ session: ['recorded'], all: false, yes: true }, never),
    ]) {
      await refusal(ask).toMatchObject({
        code: 'input.invalid',
        message: 'More than one session begins with recorded.',
        hint: expect.stringMatching(/recorded_1.*recorded-2|recorded-2.*recorded_1/),
      });
    }
    await refusal(() => sessions.show({ sessionId: idOf(1).slice(0, -1) }, never)).toMatchObject({
      hint: expect.stringMatching(new RegExp(`They are: (${idOf(1)}|${idOf(2)}), (${idOf(1)}|${idOf(2)})$`)),
    });
    // An underscore is not any character, nor a percent sign any number of them.
    expect((await sessions.show({ sessionId: 'recorded_' }, never)).session.id).toBe('recorded_1');
    for (const sessionId of ['reco%', 'r*corded_1']) {
      await refusal(() => sessions.show({ sessionId }, never)).toMatchObject({ code: 'session.missing' });
    }
  });
});

describe('the session that was active last', () => {
  it('is none that a recording answered, so that a replay can be tried again', async () => {
    const { sessions, record, replayed } = aHome();
    record('real', '2026-01-01');
    record('mixed', '2026-01-02', replayed);
    record('mixed', '2026-01-02');
    for (let number = 1; number <= 25; number++) record(`replay-${number}`, '2026-01-03', replayed);
    expect((await sessions.show({ sessionId: 'latest' }, never)).session.id).toBe('mixed');
    expect((await sessions.events({ id: 'latest' }, never)).exchange.sessionId).toBe('mixed');
    const { rows } = await sessions.list({ limit: 10, withoutReplays: true }, never);
    expect(rows.map(({ id }) => id)).toEqual(['mixed', 'real']);
    expect((await sessions.list({ limit: 10, withoutReplays: false }, never)).rows).toHaveLength(10);
  });

  it('is not there before anything was recorded, and a replay where there is nothing else', async () => {
    const { sessions, record, replayed } = aHome();
    const asks = [
      () => sessions.show({ sessionId: 'latest' }, never),
      () => sessions.events({ id: 'latest' }, never),
      () => sessions.changes({ exchangeId: 'latest' }, never),
      () => sessions.prune({ session: ['latest'], all: false, yes: false }, never),
    ];
    for (const ask of asks) {
      await expect(async () => ask()).rejects.toMatchObject({
        code: 'session.missing',
        message: 'Nothing is recorded yet.',
      });
    }
    record('replay', '2026-01-01', replayed);
    expect((await sessions.show({ sessionId: 'latest' }, never)).session.id).toBe('replay');
  });
});

describe('the beginning of an id', () => {
  it('is asked for in full where it is too short for one', async () => {
    const { sessions, record } = aHome();
    record('recorded-1', '2026-01-01');
    for (const ask of [
      () => sessions.show({ sessionId: 'rec' }, never),
      () => sessions.events({ id: 'rec' }, never),
      () => sessions.changes({ exchangeId: 'rec' }, never),
    ]) {
      await expect(async () => ask()).rejects.toMatchObject({
        message: 'rec is no id, and too short for the beginning of one.',
        hint: expect.stringMatching(/^Give at least 4 characters\./),
      });
    }
  });

  it('may be that of an exchange, where an exchange is asked for', async () => {
    const { sessions, record } = aHome();
    record('recorded-1', '2026-01-01');
    record('recorded-1', '2026-01-02');
    const [first, second] = (await sessions.show({ sessionId: 'recorded-1' }, never)).exchanges;
    const [one = '', two = ''] = [first?.id.slice(0, 13), second?.id.slice(0, 13)];
    expect((await sessions.events({ id: one }, never)).exchange.id).toBe(first?.id);
    expect((await sessions.changes({ exchangeId: two }, never)).exchange.id).toBe(second?.id);
    for (const ask of [
      () => sessions.events({ id: one.slice(0, 4) }, never),
      () => sessions.changes({ exchangeId: one.slice(0, 4) }, never),
    ]) {
      await expect(async () => ask()).rejects.toMatchObject({
        code: 'input.invalid',
        message: `More than one exchange begins with ${one.slice(0, 4)}.`,
        hint: expect.stringContaining(second?.id ?? '–'),
      });
    }
  });
});
