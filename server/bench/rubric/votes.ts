import * as z from 'zod';
import type { Criterion, CriterionVerdict, JudgeVote } from '../../../protocol/rubric.ts';
import type { ShownWork } from './question.ts';

const Answer = z.strictObject({
  criterion: z.string(),
  verdict: z.enum(['met', 'unmet']),
  evidence: z.string(),
});

/** Shorter quotes are found in any text. */
const minEvidence = 5;
const maxKept = 2000;

/** Reads an answer of the judge. Whatever is not exactly an answer to the question is a void vote, never a verdict. */
export function toVote(text: string, criterion: Criterion, work: ShownWork): JudgeVote {
  const answer = Answer.safeParse(parseAnswer(text));
  if (!answer.success) return voided(text, 'It is not the JSON object that was asked for.');
  const { verdict, evidence } = answer.data;
  if (answer.data.criterion !== criterion.id) return voided(evidence, 'It is about another criterion.');
  if (verdict === 'unmet' && evidence.trim() === '') return { verdict, evidence: '', void: null };
  if (evidence.trim().length < minEvidence) return voided(evidence, 'It quotes nothing that could be evidence.');
  if (!isQuoteOf(evidence, work)) return voided(evidence, 'Its quote does not occur in what was judged.');
  return { verdict, evidence: evidence.slice(0, maxKept), void: null };
}

/** Models like to put JSON into a fence, which changes nothing of what it says. */
function parseAnswer(text: string): unknown {
  const bare = /^```(?:json)?\s*\n([\s\S]*)\n```$/.exec(text.trim())?.[1] ?? text.trim();
  try {
    return JSON.parse(bare);
  } catch {
    return null;
  }
}

function voided(evidence: string, why: string): JudgeVote {
  return { verdict: null, evidence: evidence.slice(0, maxKept), void: why };
}

/** Whether a quote stands in the agent's own words or code, apart from blanks and the marks at the start of a patch's lines. */
export function isQuoteOf(quote: string, { patch, message }: ShownWork): boolean {
  const wanted = [squeezed(quote), squeezed(withoutMarks(quote))].filter(text => text !== '');
  const sources = [patch, withoutMarks(patch), message ?? ''].map(squeezed);
  return wanted.some(text => sources.some(source => source.includes(text)));
}

function squeezed(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function withoutMarks(patch: string): string {
  return patch.replaceAll(/^[+\- ]/gm, '');
}

/**
 * What the votes on a criterion come to. A verdict needs more than half of the votes that were asked for: void ones make it
 * harder, never easier.
 */
export function tally(criterion: Criterion, votes: readonly JudgeVote[]): CriterionVerdict {
  const count = (verdict: 'met' | 'unmet') => votes.filter(vote => vote.verdict === verdict).length;
  const [met, unmet] = [count('met'), count('unmet')];
  const most = Math.max(met, unmet);
  const verdict = most * 2 <= votes.length ? null : met > unmet ? 'met' : 'unmet';
  const agreement = met + unmet === 0 ? null : most / (met + unmet);
  return { ...criterion, verdict, agreement, votes: [...votes] };
}

/** Weighted share of the criteria that are met; null as soon as one of them has no verdict. */
export function shareOf(criteria: readonly CriterionVerdict[]): number | null {
  if (criteria.length === 0 || criteria.some(({ verdict }) => verdict === null)) return null;
  const sum = (some: readonly CriterionVerdict[]) => some.reduce((total, { weight }) => total + weight, 0);
  return sum(criteria.filter(({ verdict }) => verdict === 'met')) / sum(criteria);
}
