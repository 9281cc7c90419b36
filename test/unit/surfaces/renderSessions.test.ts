import { expect, it, onTestFinished, vi } from 'vitest';
import { stoppedByBudget } from '../../../protocol/budgets.ts';
import { type Exchange, type RequestChanges, sessions } from '../../../protocol/sessions.ts';
import { noCost, noUsage } from '../../../protocol/usage.ts';
import '../../../server/surfaces/cli/render.ts';
import { toText } from '../../../server/surfaces/cli/renderers.ts';
import { anExchange } from '../traces/sessions/aReader.ts';

const session = {
  ...{ id: 's1', agent: 'codex', title: 'Say hi.', exchanges: 1, models: [], repository: null, source: 'proxy' },
  ...{ startedAt: '2026-01-01T00:00:00.000Z', endedAt: '2026-01-01T00:00:00.000Z', usage: noUsage, cost: noCost },
} as const;

it('a page of sessions leads to the next with the filters that it was asked for', () => {
  const page = (next: string | null) => toText(sessions.members.list, { rows: [{ ...session, models: [] }], next });
  expect(page('17~s1')).toMatch(/\nMore: the same again with --before 17~s1$/);
  expect(page('17~s1')).not.toContain('codex-coach sessions list --before');
  expect(page(null)).not.toContain('More');
});

it('a list says what a recording answered, and that an agent is unknown', () => {
  const rows = [
    { ...session, models: [], agent: null, cost: { amountUsd: null, kind: 'replay' as const } },
    { ...session, models: [], agent: null, source: 'codexFile' as const },
  ];
  const [, replayed, ofFile] = toText(sessions.members.list, { rows, next: null }).split('\n');
  expect(replayed).toMatch(/^s1 +unknown .* replay +Say hi\.$/);
  expect(ofFile).toContain('unknown (codex file)');
});

it('a list in which nothing matches says what there is', () => {
  const list = (known?: { agents: string[]; models: string[] }) =>
    toText(sessions.members.list, { rows: [], next: null, ...(known && { known }) });
  expect(list({ agents: ['claude', 'codex'], models: ['gpt-5.5'] })).toBe(
    'No session matches. There are:\n  Agents: claude, codex\n  Models: gpt-5.5',
  );
  for (const nothing of [undefined, { agents: [], models: [] }]) expect(list(nothing)).toMatch(/^No sessions here\./);
});

const columnsOf = (line = '') => line.trim().split(/ {2,}/);

it('a list fits a terminal, and is whole where it is no terminal', () => {
  const id = '019aa2c1-7c52-7f13-8d5b-0d7cf7a8a001';
  const title = 'A long story of which nobody can say much in a narrow column, nor in one that is much wider than that';
  const rows = [{ ...session, id, models: [], title }];
  const lines = (columns?: number) => toText(sessions.members.list, { rows, next: null }, columns).split('\n');
  for (const columns of [60, 80, 110, 150, 200]) {
    expect(lines(columns).filter(line => line.length > columns)).toEqual([]);
  }
  expect(columnsOf(lines(60)[0])).toEqual(['Session', 'Agent', 'Last active', 'Cost', 'Title']);
  expect(lines(60)[1]).toMatch(/^019aa2c1 {2}codex {2}2026-01-01 .*A long .*…$/);
  expect(columnsOf(lines(40)[0])).toEqual(['Session', 'Last active', 'Title']);
  expect(columnsOf(lines(80)[0])).toHaveLength(7);
  // Where there is room for a usual title beside it, the id is whole.
  expect(lines(150)[1]).toMatch(new RegExp(`^${id} .*A long .*…$`));
  expect(lines(200)[1]).toMatch(/than that$/);
  expect(lines(1000)).toEqual(lines());
});

it('deleting says what stays listed as Codex’s own file', () => {
  const prune = (codexFiles: number, deleted: { exchanges: number; freedBytes: number } | null = null) =>
    toText(sessions.members.prune, { sessions: 3, codexFiles, deleted });
  expect(prune(0)).toBe('3 sessions would be deleted. Do it with --yes.');
  expect(prune(1)).toBe(
    '3 sessions would be deleted. Codex has its own file of 1 of them: so it stays listed. Do it with --yes.',
  );
  expect(prune(2, { exchanges: 4, freedBytes: 100_000 })).toBe(
    'Deleted 3 sessions with 4 exchanges; 0.1 MB freed. Codex has its own file of 2 of them: so they stay listed.',
  );
});

it('a session that is shown says its whole id', () => {
  const shown = toText(sessions.members.show, { session: { ...session, models: [] }, exchanges: [], conversation: [] });
  expect(shown).toMatch(/^Say hi\.\ns1 · codex · no model · 0 exchanges/);
});

it('as much of an id is listed as tells sessions apart', () => {
  const ids = ['019aa2c1-7c52-7f13', '019aa2c1-7c59-7f13', '77'];
  const rows = ids.map(id => ({ ...session, id, models: [] }));
  const [, ...lines] = toText(sessions.members.list, { rows, next: null }, 60).split('\n');
  expect(lines.map(line => columnsOf(line)[0])).toEqual(['019aa2c1-7c52', '019aa2c1-7c59', '77']);
});

it('the exchanges of a session fit a terminal, with as much of their ids as other commands need', () => {
  const idOf = (number: number) => `019aa2c1-7c5${number}-7f13-8d5b-0d7cf7a8a001`;
  const shown = (columns?: number, error: string | null = null) =>
    toText(
      sessions.members.show,
      {
        session: { ...session, models: [] },
        exchanges: [1, 2].map(number => anExchange(number, { id: idOf(number), error })),
        conversation: [],
      },
      columns,
    )
      .split('\n')
      .slice(-3);
  for (const columns of [60, 80, 120]) {
    for (const error of [null, 'Too many requests were made of this model in too short a time']) {
      expect(shown(columns, error).filter(line => line.length > columns)).toEqual([]);
    }
  }
  expect(shown(80)[2]).toMatch(/^019aa2c1-7c52 {2}gpt-5\.5 /);
  expect(columnsOf(shown(60)[0])).toContain('Cost');
  expect(shown(200)[2]).toMatch(new RegExp(`^${idOf(2)} `));
  expect(shown()).toEqual(shown(1000));
});

it('the exchanges of Codex’s own file go by their numbers on a terminal', () => {
  const exchanges = [1, 2].map(number => anExchange(number, { id: `session-1#${number}` }));
  const [, , , , one, two] = toText(
    sessions.members.show,
    { session: { ...session, models: [] }, exchanges, conversation: [] },
    60,
  ).split('\n');
  expect([columnsOf(one)[0], columnsOf(two)[0]]).toEqual(['#1', '#2']);
});

it('statistics fit a terminal, and end with all of them together', () => {
  const usage = { ...noUsage, inputTokens: 12_345_678, cachedInputTokens: 9_345_678, outputTokens: 345_678 };
  const figures = { usage, withoutUsage: 0, cost: { amountUsd: 12.5, kind: 'priced' as const }, exchanges: 812 };
  const row = {
    ...{ day: '2026-01-01', model: 'claude-sonnet-4-5-20250929', agent: 'claude' },
    sessions: 12,
    ...figures,
  };
  const total = { ...figures, sessions: 20, cacheWriteTokens: null };
  const lines = (columns?: number, cacheWriteTokens: number | null = null) => {
    const rows = ['2026-01-02', '2026-01-01'].map(day => ({ ...row, day, cacheWriteTokens }));
    return toText(sessions.members.stats, { rows, total: { ...total, cacheWriteTokens } }, columns).split('\n');
  };
  for (const columns of [60, 80, 100, 120]) {
    expect(lines(columns, 5000).filter(line => line.length > columns)).toEqual([]);
  }
  expect(columnsOf(lines(80)[0])).toEqual(['Day (UTC)', 'Model', 'Agent', 'In', 'Cached', 'Out', 'Cost']);
  expect(lines(75)[1]).toMatch(/^2026-01-02 {2}claude-sonnet-4-5-2.*… +claude +12\.3 M +76 % +346 k +\$12\.50$/);
  expect(columnsOf(lines()[3])).toEqual(['Total', '20', '812', '12,691,356', '12.3 M', '76 %', '346 k', '$12.50']);
  expect(lines()[0]).not.toContain('Cache write');
  expect(lines(undefined, 5000)[0]).toMatch(/ Cached +Cache write +Out /);
  const one = toText(sessions.members.stats, { rows: [{ ...row, cacheWriteTokens: null }], total });
  expect(one).not.toContain('Total');
});

it('statistics by directory keep the end of its path', () => {
  const figures = { sessions: 1, exchanges: 1, withoutUsage: 0, usage: noUsage, cacheWriteTokens: null, cost: noCost };
  const repository = `/home/somebody/${'deeper/'.repeat(9)}project`;
  const lines = toText(sessions.members.stats, { rows: [{ week: '2026-01-05', repository, ...figures }] }, 80).split(
    '\n',
  );
  expect(lines[1]).toMatch(/^2026-01-05 {2}….*\/project /);
  expect(lines.every(line => line.length <= 80)).toBe(true);
});

it('a request that a budget stopped has no status of the API', () => {
  const error = `Session s1 has used 612 of its 600 tokens. ${stoppedByBudget} Start a new session.`;
  const exchanges = [anExchange(1, { error }), anExchange(2)];
  const shown = toText(sessions.members.show, { session: { ...session, models: [] }, exchanges, conversation: [] });
  expect(shown).toMatch(/exchange-1 +gpt-5\.5 +budget /);
  expect(shown).toMatch(/exchange-2 +gpt-5\.5 +200 /);
});

it('nothing that a recording names reaches the terminal as an escape', () => {
  const evil = 'm\u001b]0;owned\u0007\u202e\u009b31m';
  const named = { ...session, id: evil, agent: evil, models: [evil] };
  const exchange = anExchange(1, { model: evil, id: evil, sessionId: evil });
  const step = { kind: 'model' as const, name: evil, exchangeId: evil, startedAt: session.startedAt, durationMs: 1 };
  const report = {
    ...{
      session: named,
      turns: 1,
      retries: 0,
      errors: 0,
      withoutUsage: 0,
      firstByteMs: null,
      modelMs: 1,
      elapsedMs: 1,
    },
    ...{ tools: [{ name: evil, calls: 1, failures: 0 }], files: [{ path: evil, edits: 1 }], longest: [step] },
  };
  const hit = { sessionId: evil, exchangeId: null, title: evil, at: session.startedAt, snippet: evil };
  for (const text of [
    toText(sessions.members.list, { rows: [named], next: evil }),
    toText(sessions.members.show, { session: named, exchanges: [exchange], conversation: [] }),
    toText(sessions.members.summary, report),
    toText(sessions.members.search, { hits: [hit] }),
  ]) {
    expect(text).toContain('m␛]0;owned␇[U+202E][U+009B]31m');
    expect(text).not.toMatch(/[\u0007\u001b\u0080-\u009f\u202e]/);
  }
});

it('a search that finds nothing says where it did not look', () => {
  expect(toText(sessions.members.search, { hits: [] })).toContain('of Codex’s own files only the newest are read');
});

it('what changed between two requests says from where the cache is lost, and shows the words that differ', () => {
  const exchange = { id: 'e2' } as Exchange;
  const shown = (more: Partial<RequestChanges>) =>
    toText(sessions.members.changes, {
      ...{ exchange, previousId: 'e1', itemsBefore: 2, itemsAfter: 3, items: [], tools: [], settings: [] },
      ...{ keptItems: 2, prefixKept: true, ...more },
    });
  expect(shown({})).toBe('Since e1: 2 → 3 items, prefix kept');
  expect(shown({ keptItems: 1, prefixKept: false })).toMatch(/only the first 1 as before: .* lost from there on$/);
  const instructions = (end: string) => `${'Be kind. '.repeat(100)}${end}`;
  const [before, after] = [instructions('Today is Monday.'), instructions('Today is Tuesday.')];
  const settings = [{ change: 'changed' as const, name: 'instructions', before, after }];
  const lost = shown({ keptItems: 0, prefixKept: false, settings });
  expect(lost).toContain('the provider’s cache is lost from the beginning');
  expect(lost).toMatch(/~ instructions: ….*Today is Monday\. → ….*Today is Tuesday\.$/);
});

it('statistics by day say when that begins where it is not at midnight', () => {
  const offset = vi.spyOn(Date.prototype, 'getTimezoneOffset');
  onTestFinished(() => offset.mockRestore());
  const figures = { sessions: 1, exchanges: 1, withoutUsage: 0, usage: noUsage, cacheWriteTokens: null, cost: noCost };
  const shown = (key: object, offsetMinutes: number) => {
    offset.mockReturnValue(offsetMinutes);
    return toText(sessions.members.stats, { rows: [{ ...key, ...figures }] });
  };
  for (const key of [{ day: '2026-01-05' }, { week: '2026-01-05' }, { month: '2026-01' }]) {
    expect(shown(key, 0)).toMatch(/^(Day|Week|Month) \(UTC\) .*\n2026-01.*$/);
    expect(shown(key, -330)).toMatch(/\nDays begin at midnight in UTC: 05:30 here\.$/);
    expect(shown(key, 300)).toContain('UTC: 19:00 here.');
  }
  expect(shown({ model: 'm' }, 300)).not.toContain('UTC');
});

it('sums of tokens say what is not in them', () => {
  const figures = { usage: { ...noUsage, inputTokens: 10, outputTokens: 5 }, cost: noCost };
  const row = { day: '2026-01-01', sessions: 1, exchanges: 3, cacheWriteTokens: null, ...figures };
  const stats = (withoutUsage: number) => toText(sessions.members.stats, { rows: [{ ...row, withoutUsage }] });
  expect(stats(0)).not.toContain('no usage');
  expect(stats(2)).toMatch(/\nNot in these tokens: 2 exchanges that told no usage, /);
  const report = {
    ...{ session: { ...session, models: [], ...figures }, turns: 1, retries: 0, errors: 0, tools: [], files: [] },
    ...{ firstByteMs: null, modelMs: 0, elapsedMs: 0, longest: [], withoutUsage: 1 },
  };
  expect(toText(sessions.members.summary, report)).toMatch(/^Say hi\.\n +session +s1\n/);
  expect(toText(sessions.members.summary, report)).toMatch(/tokens +10 in, 5 out; 1 exchange told no usage\n/);
});
