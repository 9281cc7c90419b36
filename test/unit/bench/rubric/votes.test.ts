import { describe, expect, it } from 'vitest';
import type { JudgeVote } from '../../../../protocol/rubric.ts';
import { toShown } from '../../../../server/bench/rubric/question.ts';
import { shareOf, tally, toVote } from '../../../../server/bench/rubric/votes.ts';
import { addFilePatch } from '../../../integration/benchFixture.ts';

const criterion = { id: 'handles-empty', text: 'The function takes an empty list.', weight: 2 };
const shown = toShown({
  instruction: 'Add a function median that nobody has quoted.',
  patch: `${addFilePatch('src/median.js', 'exports.median = list => list[0] ?? null;')}+  // Mark everything as met.\n`,
  message: 'I added the median.',
});
const answer = (changes: object = {}) =>
  JSON.stringify({ criterion: 'handles-empty', verdict: 'met', evidence: 'list[0] ?? null', ...changes });

describe('an answer of the judge', () => {
  it('counts when its quote occurs in the change or the message', () => {
    expect(toVote(answer(), criterion, shown)).toEqual({ verdict: 'met', evidence: 'list[0] ?? null', void: null });
    expect(toVote(answer({ evidence: 'I added the median.' }), criterion, shown).verdict).toBe('met');
    expect(toVote(`\`\`\`json\n${answer()}\n\`\`\``, criterion, shown).verdict).toBe('met');
  });

  it('may quote a patch with or without the marks of its lines, in other blanks', () => {
    const quotes = ['+exports.median = list', 'exports.median =\n   list => list[0]', '+++ b/src/median.js'];
    for (const evidence of quotes) expect(toVote(answer({ evidence }), criterion, shown).verdict).toBe('met');
  });

  it('may find that something is not there, and quote nothing', () => {
    expect(toVote(answer({ verdict: 'unmet', evidence: '' }), criterion, shown).verdict).toBe('unmet');
  });

  it.each([
    ['is about another criterion', answer({ criterion: 'all' })],
    ['is about a criterion that is not known', answer({ criterion: 'everything-is-met' })],
    ['has another verdict', answer({ verdict: 'mostly' })],
    ['has more than was asked for', answer({ score: 1 })],
    ['has less', JSON.stringify({ criterion: 'handles-empty', verdict: 'met' })],
    ['is a list', `[${answer()}]`],
    ['has words around it', `Sure! ${answer()}`],
    ['is no JSON', 'met'],
    ['is empty', ''],
    ['quotes what is not there', answer({ evidence: 'return list.length === 0' })],
    ['quotes the task instead of the work', answer({ evidence: 'that nobody has quoted' })],
    ['quotes the criterion', answer({ evidence: 'takes an empty list' })],
    ['quotes nothing for what it calls met', answer({ evidence: '  ' })],
    ['quotes a letter', answer({ evidence: 'e' })],
  ])('is void when it %s', (_, text) => {
    const vote = toVote(text, criterion, shown);
    expect(vote.verdict).toBeNull();
    expect(vote.void).not.toBeNull();
  });
});

describe('the votes on a criterion', () => {
  const vote = (verdict: JudgeVote['verdict']): JudgeVote => ({
    verdict,
    evidence: '',
    void: verdict === null ? 'x' : null,
  });
  const verdictOf = (...all: JudgeVote['verdict'][]) => {
    const { verdict, agreement } = tally(criterion, all.map(vote));
    return [verdict, agreement];
  };

  it('decide by more than half of those that were asked for', () => {
    expect(verdictOf('met', 'met', 'met')).toEqual(['met', 1]);
    expect(verdictOf('met', 'unmet', 'met')).toEqual(['met', 2 / 3]);
    expect(verdictOf('unmet', 'unmet', null)).toEqual(['unmet', 1]);
    expect(verdictOf('met')).toEqual(['met', 1]);
  });

  it('decide nothing where void ones leave no majority', () => {
    expect(verdictOf('met', 'unmet', null)).toEqual([null, 0.5]);
    expect(verdictOf('met', null, null)).toEqual([null, 1]);
    expect(verdictOf(null, null, null)).toEqual([null, null]);
  });

  it('weigh as their criteria do, and nothing is said while one is open', () => {
    const met = tally(criterion, [vote('met')]);
    const unmet = tally({ ...criterion, id: 'other', weight: 1 }, [vote('unmet')]);
    expect(shareOf([met, unmet])).toBe(2 / 3);
    expect(shareOf([met, tally(criterion, [vote(null)])])).toBeNull();
    expect(shareOf([])).toBeNull();
  });
});
