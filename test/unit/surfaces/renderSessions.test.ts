import { expect, it } from 'vitest';
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

it('a list fits a terminal, and is whole where it is no terminal', () => {
  const id = '019aa2c1-7c52-7f13-8d5b-0d7cf7a8a001';
  const rows = [{ ...session, id, models: [], title: 'A long story of which nobody can say much in a narrow column' }];
  const lines = (columns?: number) => toText(sessions.members.list, { rows, next: null }, columns).split('\n');
  expect(lines(80).map(line => line.trimEnd().length <= 80)).toEqual([true, true]);
  expect(lines(80)[0]).toMatch(/^Session +Last active +Cost +Title$/);
  expect(lines(80)[1]).toMatch(new RegExp(`^${id}  2026-01-01 .*A long .*…$`));
  expect(lines(110)[0]).toMatch(/^Session +Agent +Last active +Exchanges +Tokens +Cost +Title$/);
  expect(lines(40)[0]).toMatch(/^Session +Title$/);
  expect(lines(1000)).toEqual(lines());
  expect(lines()[1]).toContain('in a narrow column');
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

it('sums of tokens say what is not in them', () => {
  const figures = { usage: { ...noUsage, inputTokens: 10, outputTokens: 5 }, cost: noCost };
  const row = { day: '2026-01-01', sessions: 1, exchanges: 3, ...figures };
  const stats = (withoutUsage: number) => toText(sessions.members.stats, { rows: [{ ...row, withoutUsage }] });
  expect(stats(0)).not.toContain('no usage');
  expect(stats(2)).toMatch(/\nNot in these tokens: 2 exchanges that told no usage, /);
  const report = {
    ...{ session: { ...session, models: [], ...figures }, turns: 1, retries: 0, errors: 0, tools: [], files: [] },
    ...{ firstByteMs: null, modelMs: 0, elapsedMs: 0, longest: [], withoutUsage: 1 },
  };
  expect(toText(sessions.members.summary, report)).toMatch(/tokens +10 in, 5 out; 1 exchange told no usage\n/);
});
