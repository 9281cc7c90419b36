import { describe, expect, it } from 'vitest';
import type { CriterionVerdict, RubricVerdict, Score } from '../../../../protocol/rubric.ts';
import { noUsage } from '../../../../protocol/usage.ts';
import { toHtml } from '../../../../server/bench/report/html.ts';
import { toReport } from '../../../../server/bench/report/model.ts';
import { aRun, aTrial } from '../../../fakes/scriptedRun.ts';

const criterion = (verdict: CriterionVerdict['verdict'], evidence = ''): CriterionVerdict => ({
  ...{
    id: 'empty-list',
    text: 'Takes an <empty> list.',
    weight: 2,
    verdict,
    agreement: verdict === null ? null : 2 / 3,
  },
  votes: [{ verdict, evidence, void: verdict === null ? 'Its quote does not occur in what was judged.' : null }],
});
const rubric = (changes: Partial<RubricVerdict> = {}): RubricVerdict => ({
  ...{ judge: 'openai/gpt-5.5', votes: 3, share: 1, agreement: 2 / 3, leftOut: [], error: null, usage: noUsage },
  ...{ criteria: [criterion('met')], cost: { amountUsd: 0.02, kind: 'priced' } },
  ...changes,
});
const scored = (attempt: number, changes: Partial<RubricVerdict>, weights: Partial<Score['weights']> = {}) =>
  aTrial({
    ...{ attempt, phase: 'done', end: 'verified', reward: 1 },
    score: { weights: { tests: 0.5, rubric: 0.5, diff: 0, ...weights }, tests: 1, rubric: rubric(changes), diff: null },
  });
const page = (...trials: ReturnType<typeof scored>[]) => toHtml(toReport(aRun({ state: 'finished' }), trials), '0.1.0');

describe('rubrics in a report', () => {
  it('are told by criterion and agent, with what the judge cost beside the agents', () => {
    const html = page(scored(1, {}), scored(2, { criteria: [criterion('unmet')], share: 0 }));
    expect(html).toContain('<td class="num">1 of 2</td><td class="num">0.67</td>');
    expect(html).toContain('Judged by openai/gpt-5.5, 3 votes a criterion, for $0.04 beside the agents’ cost.');
    expect(html).toContain('add-median: the reward weighs tests 0.5, rubric 0.5.');
  });

  it('quote their evidence as text, whatever agents wrote', () => {
    const html = page(scored(1, { criteria: [criterion('met', '<script>alert(1)</script>')] }));
    expect(html).toContain('<code>&lt;script&gt;alert(1)&lt;/script&gt;</code>');
    expect(html).toContain('Takes an &lt;empty&gt; list.');
    expect(html).not.toContain('<script');
  });

  it('say why there is no verdict, and what the judge was not shown', () => {
    const error = { code: 'judge.failed', message: 'The judge came to no majority.', hint: null } as const;
    const leftOut = ['The change: only the first 10 of 20 characters are shown.'];
    const html = page(scored(1, { criteria: [criterion(null)], share: null, error, leftOut }));
    expect(html).toContain('<td class="num">–</td><td class="num">–</td>');
    expect(html).toContain('1 trial without a verdict of the judge: The judge came to no majority.');
    expect(html).toContain('Its quote does not occur in what was judged.');
    expect(html).toContain(leftOut[0]);
  });

  it('say where they are all there is', () => {
    expect(page(scored(1, {}, { tests: 0 }))).toContain('add-median: scored by its rubric alone, without tests.');
  });

  it('are left out where no task has one', () => {
    expect(page(aTrial({ phase: 'done', end: 'verified', reward: 1 }) as never)).not.toContain('<h2>Rubric</h2>');
  });
});
