import { expect, it } from 'vitest';
import {
  meanReward,
  mostAttempts,
  niceAbove,
  pairWords,
  pointsOf,
  pWords,
} from '../../../webview/pages/compare/figures.ts';
import { aComparison } from '../../fakes/comparisons.ts';

const comparison = aComparison();

it('words a paired verdict by what it proves', () => {
  const [open, clear] = comparison.pairs;
  if (open === undefined || clear === undefined) throw new Error('no pairs');
  expect(pairWords(clear)).toBe('codex/gpt-5.5 beats codex/gpt-5.5-mini on 8 of 12 tasks');
  expect(pairWords({ ...open, moreTasks: 1 })).toContain('about 1 more task would settle it');
  expect(pairWords({ ...open, moreTasks: 900 })).toContain('many hundreds of tasks more');
  expect(pairWords({ ...open, moreTasks: 0 })).toContain('the pairs together leave it open');
  expect(pairWords({ ...open, moreTasks: null })).toContain('no difference was seen');
});

it('plots agents with a price and a reward, and no control', () => {
  expect(pointsOf(comparison.agents).map(point => point.label)).not.toContain('oracle');
  expect(pointsOf(comparison.agents)).toHaveLength(4);
  expect(mostAttempts(comparison)).toBe(3);
});

it('says figures as they are: no p of 0, no mean of nothing, round ends of axes', () => {
  expect([pWords(0), pWords(0.0204), pWords(0.18)]).toEqual(['p < 0.001', 'p = 0.020', 'p = 0.18']);
  expect(meanReward([{ trialId: 't', reward: null, end: 'errored' }])).toBe('–');
  expect([niceAbove(0.88), niceAbove(0.14), niceAbove(3), niceAbove(0)]).toEqual([1, 0.2, 5, 1]);
});
