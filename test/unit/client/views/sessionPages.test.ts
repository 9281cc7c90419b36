import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byDay, matches, SessionPages } from '../../../../client/views/sessionPages.ts';
import type { SessionSummary } from '../../../../protocol/sessions.ts';
import { noUsage } from '../../../../protocol/usage.ts';

function aSession(id: string, endedAt: string, over: Partial<SessionSummary> = {}): SessionSummary {
  return {
    ...{ id, agent: 'codex', title: `Session ${id}`, startedAt: endedAt, endedAt, exchanges: 1, models: ['gpt-5.5'] },
    ...{ usage: noUsage, cost: { kind: 'none', amountUsd: null }, repository: null, source: 'proxy' as const },
    ...over,
  };
}

const minute = (number: number) => new Date(Date.UTC(2026, 10, 21, 12) - number * 60_000).toISOString();

/** A server with these sessions, in pages. */
function aServer(rows: readonly SessionSummary[], size: number) {
  const asked: (string | undefined)[] = [];
  const load = async (before: string | undefined) => {
    asked.push(before);
    const from = before === undefined ? 0 : Number(before);
    const next = from + size < rows.length ? String(from + size) : null;
    return { rows: rows.slice(from, from + size), next };
  };
  return { load, asked };
}

const ids = (pages: SessionPages) => pages.rows.map(({ id }) => id);

describe('the sessions of the view', () => {
  it('come page by page, of 10,000 only what was asked for', async () => {
    const all = Array.from({ length: 10_000 }, (_, number) => aSession(String(number), minute(number)));
    const { load, asked } = aServer(all, 100);
    const pages = new SessionPages(load);
    await pages.load();
    expect([pages.rows.length, pages.hasMore, asked.length]).toEqual([100, true, 1]);
    await pages.loadMore();
    expect([pages.rows.length, pages.rows.at(-1)?.id, asked.length]).toEqual([200, '199', 2]);
  });

  it('have each session once when one moved up between two pages', async () => {
    const rows = [aSession('a', minute(1)), aSession('b', minute(2)), aSession('c', minute(3))];
    const pages = new SessionPages(async before =>
      before === undefined ? { rows: rows.slice(0, 2), next: 'x' } : { rows: rows.slice(1), next: null },
    );
    await pages.load();
    await pages.loadMore();
    expect(ids(pages)).toEqual(['a', 'b', 'c']);
    expect(pages.hasMore).toBe(false);
  });

  it('follow what is told of one without asking again', async () => {
    const { load, asked } = aServer([aSession('a', minute(1)), aSession('b', minute(2))], 10);
    const pages = new SessionPages(load);
    await pages.load();
    pages.put(aSession('b', minute(0), { exchanges: 7 }));
    expect(ids(pages)).toEqual(['b', 'a']);
    expect(pages.rows[0]?.exchanges).toBe(7);
    pages.put(aSession('new', minute(-1)));
    expect(ids(pages)).toEqual(['new', 'b', 'a']);
    expect(asked).toHaveLength(1);
  });

  it('are asked for once until they are forgotten, and again after a failure', async () => {
    const { load, asked } = aServer([aSession('a', minute(1))], 10);
    let fails = true;
    const pages = new SessionPages(before => (fails ? Promise.reject(new Error('down')) : load(before)));
    await expect(pages.load()).rejects.toThrow('down');
    fails = false;
    await Promise.all([pages.load(), pages.load()]);
    expect([ids(pages), asked.length]).toEqual([['a'], 1]);
    pages.forget();
    expect(ids(pages)).toEqual(['a']);
    await pages.load();
    expect(asked).toHaveLength(2);
  });

  it('are those that were asked for last, whichever answer comes last', async () => {
    const answers: (() => void)[] = [];
    const pages = new SessionPages(async () => {
      const number = answers.length;
      await new Promise<void>(resolve => answers.push(resolve));
      return { rows: [aSession(String(number), minute(number))], next: null };
    });
    const first = pages.load();
    pages.forget();
    const second = pages.load();
    for (const answer of answers.reverse()) answer();
    await Promise.all([first, second]);
    expect(ids(pages)).toEqual(['1']);
  });

  it('take no older page that was asked for before they were begun anew', async () => {
    const all = Array.from({ length: 9 }, (_, number) => aSession(String(number), minute(number)));
    const { load } = aServer(all, 2);
    const answered = Promise.withResolvers<void>();
    const pages = new SessionPages(async before => {
      const answer = await load(before);
      if (before === '4') await answered.promise;
      return answer;
    });
    await pages.load();
    await pages.loadMore();
    const late = pages.loadMore();
    pages.forget();
    await pages.load();
    answered.resolve();
    await late;
    expect(ids(pages)).toEqual(['0', '1']);
    await pages.loadMore();
    expect(ids(pages)).toEqual(['0', '1', '2', '3']);
  });

  it('leave one that is older than all that is loaded to its own page', async () => {
    const { load } = aServer([aSession('a', minute(1)), aSession('b', minute(2)), aSession('c', minute(9))], 2);
    const pages = new SessionPages(load);
    await pages.load();
    pages.put(aSession('old', minute(5)));
    expect(ids(pages)).toEqual(['a', 'b']);
  });

  it('stay ordered and without doubles, whatever is told in whatever order', async () => {
    const told = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 50 })), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(told, async news => {
        const pages = new SessionPages(aServer([aSession('0', minute(20)), aSession('1', minute(30))], 10).load);
        await pages.load();
        for (const [id, at] of news) pages.put(aSession(String(id), minute(at)));
        const ended = pages.rows.map(({ endedAt }) => endedAt);
        expect(ended).toEqual(ended.toSorted().reverse());
        expect(new Set(ids(pages)).size).toBe(pages.rows.length);
        expect(new Set(ids(pages))).toEqual(new Set(['0', '1', ...news.map(([id]) => String(id))]));
      }),
    );
  });
});

describe('a filter of sessions', () => {
  const session = aSession('a', minute(1), { title: 'Fix the Parser', repository: '/work/app/sub' });

  it.each([
    [{}, true],
    [{ agent: 'codex' }, true],
    [{ agent: 'claude' }, false],
    [{ model: 'gpt-5.5' }, true],
    [{ model: 'gpt' }, false],
    [{ text: 'the parser' }, true],
    [{ text: 'formatter' }, false],
    [{ repository: '/work/app' }, true],
    [{ repository: '/work/ap' }, false],
    [{ agent: 'codex', text: 'formatter' }, false],
  ])('%j shows it: %s', (filter, shown) => {
    expect(matches(session, filter)).toBe(shown);
  });
});

it('groups sessions by the local day of their last activity', () => {
  const at = (day: number, hour: number) => new Date(2026, 10, day, hour).toISOString();
  const rows = [aSession('a', at(21, 9)), aSession('b', at(21, 0)), aSession('c', at(20, 23))];
  expect(byDay(rows).map(({ day, sessions }) => [day, sessions.map(({ id }) => id)])).toEqual([
    ['2026-11-21', ['a', 'b']],
    ['2026-11-20', ['c']],
  ]);
  expect(byDay([])).toEqual([]);
});
