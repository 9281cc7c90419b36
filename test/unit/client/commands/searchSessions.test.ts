import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Coach } from '../../../../client/coach.ts';
import { searchSessions } from '../../../../client/commands/searchSessions.ts';
import { CoachError } from '../../../../protocol/errors.ts';

interface Pick {
  items: readonly { readonly label: string }[];
  busy: boolean;
  onDidChangeValue: ReturnType<typeof aListener>;
  onDidHide: ReturnType<typeof aListener>;
}

const { aListener, pick } = vi.hoisted(() => {
  const none = { dispose: () => undefined };
  const aListener = () => vi.fn((_heard: (value: string) => void) => none);
  const pick: Pick = { items: [], busy: false, onDidChangeValue: aListener(), onDidHide: aListener() };
  return { aListener, pick };
});
vi.mock('vscode', () => {
  const nothing = () => undefined;
  const whole = Object.assign(pick, { onDidAccept: nothing, show: nothing, dispose: nothing });
  return { l10n: { t: (text: string) => text }, window: { createQuickPick: () => whole } };
});

const type = (words: string) => pick.onDidChangeValue.mock.calls[0]?.[0](words);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('shows no hits of earlier words when a search fails', async () => {
  const hit = { sessionId: 's', exchangeId: null, title: 'Refunds', at: '2026-11-21T12:00:00.000Z', snippet: '' };
  const search = async ({ words }: { words: string[] }) => {
    if (words.includes('broken')) throw new CoachError('internal', 'The index can’t be read.');
    return { hits: [hit] };
  };
  const log = { warn: vi.fn() };
  const searched = searchSessions({ api: { sessions: { search } }, log } as unknown as Coach);
  type('refunds');
  await vi.advanceTimersByTimeAsync(300);
  expect(pick.items.map(item => item.label)).toEqual(['Refunds']);
  type('refunds broken');
  await vi.advanceTimersByTimeAsync(300);
  expect([pick.items, pick.busy]).toEqual([[], false]);
  expect(log.warn).toHaveBeenCalledTimes(1);
  pick.onDidHide.mock.calls[0]?.[0]('');
  await searched;
});

it('shows no hits of words that were deleted meanwhile', async () => {
  const found = Promise.withResolvers<{ hits: object[] }>();
  const search = () => found.promise;
  const coach = { api: { sessions: { search } }, log: { warn: vi.fn() } } as unknown as Coach;
  const searched = searchSessions(coach);
  const typeNow = (words: string) => pick.onDidChangeValue.mock.lastCall?.[0](words);
  typeNow('refunds');
  await vi.advanceTimersByTimeAsync(300);
  typeNow('');
  found.resolve({ hits: [{ sessionId: 's', title: 'Refunds', at: '2026-11-21T12:00:00.000Z', snippet: '' }] });
  await vi.advanceTimersByTimeAsync(300);
  expect([pick.items, pick.busy]).toEqual([[], false]);
  pick.onDidHide.mock.lastCall?.[0]('');
  await searched;
});
