import { expect, it } from 'vitest';
import { type Utterance, utterance } from '../../../../server/traces/dialects/dialect.ts';
import { type LatestSession, SessionClock } from '../../../../server/traces/storage/sessionClock.ts';

const idleMs = 120_000;
const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 2, 3, 4, 5);

/** `asleep`: from when to when the computer slept. */
function aClock({ asleep = [0, 0], latest = null }: { asleep?: [number, number]; latest?: LatestSession | null } = {}) {
  const awakeMs = (fromMs: number, toMs: number) =>
    toMs - fromMs - Math.max(0, Math.min(toMs, asleep[1]) - Math.max(fromMs, asleep[0]));
  return new SessionClock(idleMs, { latest: () => latest, sleep: { awakeMs } });
}

it('starts a new session after silence', () => {
  const clock = aClock();
  const first = clock.at('curl', startMs, startMs + 1000);
  expect(first).toMatch(/^20260102T030405-[0-9a-f]{8}$/);
  expect(clock.at('curl', startMs + 100_000, startMs + 101_000)).toBe(first);
  expect(clock.at('curl', startMs + 8 * hourMs, startMs + 8 * hourMs)).not.toBe(first);
});

it('does not take the sleep of the computer for silence', () => {
  const asleep: [number, number] = [startMs + 2000, startMs + 8 * hourMs];
  const clock = aClock({ asleep });
  const first = clock.at('curl', startMs, startMs + 1000);
  expect(clock.at('curl', startMs + 8 * hourMs + 1000, startMs + 8 * hourMs + 2000)).toBe(first);
});

it('goes on after a restart, but only with a session that we named', () => {
  const ours = { id: '20260102T030000-0123abcd', lastMs: startMs - 1000 };
  expect(aClock({ latest: ours }).at('curl', startMs, startMs)).toBe(ours.id);
  expect(aClock({ latest: { ...ours, id: 'thread-of-an-agent' } }).at('curl', startMs, startMs)).toMatch(/^20260102T/);
});

it('keeps parallel requests together, whichever ends first', () => {
  const clock = aClock();
  const first = clock.at('curl', startMs + 1000, startMs + 2000);
  expect(clock.at('curl', startMs, startMs + hourMs)).toBe(first);
  expect(clock.at('curl', startMs + 3000, startMs + hourMs + 1)).toBe(first);
});

it('still notices silence after the clock was a day ahead and was set right', () => {
  const clock = aClock();
  const first = clock.at('curl', startMs + 24 * hourMs, startMs + 24 * hourMs);
  expect(clock.at('curl', startMs, startMs + 1000)).toBe(first);
  expect(clock.at('curl', startMs + 2 * idleMs, startMs + 2 * idleMs)).not.toBe(first);
});

it('goes on after silence with what repeats a reply of the session, and with nothing else', () => {
  const clock = aClock();
  const words = (asked: readonly Utterance[], answer: string) => ({
    asked: () => asked,
    answered: () => [utterance('assistant', answer)],
  });
  const [one, reply] = [utterance('user', 'One?'), utterance('assistant', 'One.')];
  const first = clock.at('gemini', startMs, startMs, words([one], 'One.'));
  const again = (asked: readonly Utterance[], hours: number, source = 'gemini') =>
    clock.at(source, startMs + hours * hourMs, startMs + hours * hourMs, words(asked, 'Two.'));
  expect(again([one, reply, utterance('user', 'Two?')], 1)).toBe(first);
  expect(again([one, reply, utterance('user', 'Two?')], 1, 'another')).not.toBe(first);
  const cleared = again([one], 2);
  expect(cleared).not.toBe(first);
  expect(again([one, utterance('assistant', 'Two.'), one], 3)).toBe(cleared);
  expect(again([one, reply, one], 4)).not.toBe(cleared);
  expect(again([utterance('user', 'Two.')], 5)).not.toBe(cleared);
});
