import { describe, expect, it } from 'vitest';
import { TrialPhase } from '../../../protocol/runs.ts';
import { erroredWords, trialStateWord } from '../../../protocol/stateWords.ts';
import { TrialEnd } from '../../../protocol/trialEnd.ts';
import { tallyOf, trialState } from '../../../protocol/trialState.ts';

describe('trialState', () => {
  it('tells passed, partial and failed by the reward', () => {
    const state = (reward: number) => trialState({ phase: 'done', end: 'verified', reward });
    expect([1, 0.67, 0].map(state)).toEqual(['passed', 'partial', 'failed']);
  });

  it('never calls a trial without a verdict failed', () => {
    expect(trialState({ phase: 'done', end: 'verified', reward: null })).toBe('errored');
    expect(trialState({ phase: 'done', end: 'errored', reward: null })).toBe('errored');
    expect(trialState({ phase: 'done', end: null, reward: null })).toBe('lost');
  });

  it('has a word for every phase and end', () => {
    for (const phase of TrialPhase.options) {
      for (const end of [...TrialEnd.options, null]) {
        expect(trialStateWord(trialState({ phase, end, reward: null }))).toMatch(/^[A-Z]/);
      }
    }
  });

  it('is said in English, or in the language of who reads it', () => {
    expect(trialStateWord('timedOut')).toBe('Timed out');
    expect(trialStateWord('timedOut', { t: text => `⟦${text}⟧` })).toBe('⟦Timed out⟧');
  });
});

describe('tallyOf', () => {
  it('counts what the machine failed apart from verdicts, and what was cancelled as neither', () => {
    const done = { phase: 'done', reward: null } as const;
    const trials = [
      { ...done, end: 'verified', reward: 0 },
      { ...done, end: 'timedOut', reward: 0.5 },
      { ...done, end: 'errored' },
      { ...done, end: 'lost' },
      { ...done, end: 'cancelled' },
      { phase: 'agent', end: null, reward: null },
    ] as const;
    expect(tallyOf(trials)).toEqual({ total: 6, verdicts: 2, errored: 2 });
  });
});

it('says how many errored only where some did', () => {
  expect([0, 1, 3].map(errored => erroredWords(errored))).toEqual([null, '1 errored', '3 errored']);
});
