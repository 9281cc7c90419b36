import { describe, expect, it } from 'vitest';
import { TrialPhase } from '../../../protocol/runs.ts';
import { trialStateWord } from '../../../protocol/stateWords.ts';
import { TrialEnd } from '../../../protocol/trialEnd.ts';
import { trialState } from '../../../protocol/trialState.ts';

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
