import { CoachError } from '../../../protocol/errors.ts';
import type { Criterion, CriterionVerdict, JudgeVote, RubricVerdict } from '../../../protocol/rubric.ts';
import { type Cost, noCost, noUsage, type Usage } from '../../../protocol/usage.ts';
import type { LaunchSpec, ProxyLaunch } from '../../proxy/proxy.ts';
import { runEach } from '../scheduler.ts';
import { askModel } from './askModel.ts';
import { type JudgeChoice, requireJudgeKey } from './judgeChoice.ts';
import { type JudgedWork, type Question, type ShownWork, toQuestion, toShown } from './question.ts';
import {
  type JudgeRecording,
  loadAnswers,
  missedAnswer,
  type RecordedAnswer,
  type RecordedExchange,
} from './recordedAnswers.ts';
import { shareOf, tally, toVote } from './votes.ts';

export interface JudgeDeps {
  openLaunch(spec: LaunchSpec): Promise<ProxyLaunch>;
  /** What was used under this id before and now; see `judgeId`. */
  spent(judgeId: string): { readonly usage: Usage; readonly cost: Cost };
  /** @throws CoachError `session.missing` */
  exchangesOf(sessionId: string): Iterable<RecordedExchange>;
  readonly keys: Readonly<Record<string, string | undefined>>;
  /** Before a model that failed is asked again. */
  readonly pauseMs: number;
}

export interface RubricToJudge {
  readonly trialId: string;
  readonly criteria: readonly Criterion[];
  readonly work: JudgedWork;
  readonly judge: JudgeChoice;
  readonly votes: number;
}

export interface JudgedRubric {
  readonly verdict: RubricVerdict;
  /** What a model answered, to be kept with the trial; null when none was asked. */
  readonly recording: JudgeRecording | null;
}

const questionsAtOnce = 4;

/** Under which id the judge's traffic about a trial is recorded: apart from its agent's. */
export function judgeId(trialId: string): string {
  return `${trialId}.judge`;
}

/**
 * Has a judge decide on each criterion. A judge that can't be asked, finds no recording or comes to no majority gives no
 * verdict, with its error: that is a failure of the machine and never a score. Work that is empty meets nothing, and no
 * judge is asked.
 * @throws the signal's reason
 */
export async function judgeRubric(rubric: RubricToJudge, deps: JudgeDeps, signal: AbortSignal): Promise<JudgedRubric> {
  const { criteria, judge, votes } = rubric;
  const shown = toShown(rubric.work);
  if (isEmpty(shown)) return { verdict: emptyVerdict(rubric), recording: null };
  const answers: RecordedAnswer[] = [];
  const asked = new Map<Criterion, JudgeVote[]>();
  let error: CoachError | null = null;
  try {
    await askAll(rubric, shown, deps, signal, (criterion, vote, key, text) => {
      answers.push({ key, criterion: criterion.id, vote, text });
      const all = asked.get(criterion) ?? [];
      all[vote - 1] = toVote(text, criterion, shown);
      asked.set(criterion, all);
    });
  } catch (fault) {
    signal.throwIfAborted();
    error = CoachError.from(fault);
  }
  const judged = criteria.map(criterion => {
    const all = asked.get(criterion) ?? [];
    return tally(
      criterion,
      Array.from({ length: votes }, (_, index) => all[index] ?? unasked),
    );
  });
  error ??= undecided(judged, judge);
  const verdict: RubricVerdict = {
    ...{ judge: judge.kind === 'none' ? null : judge.name, votes, leftOut: [...shown.leftOut] },
    ...{ criteria: judged, share: error === null ? shareOf(judged) : null, agreement: meanAgreement(judged) },
    ...{ error: error?.toShape() ?? null, ...spentOn(rubric, deps) },
  };
  const inOrder = answers.toSorted((a, b) => a.criterion.localeCompare(b.criterion) || a.vote - b.vote);
  const isModel = judge.kind === 'model' && answers.length > 0;
  return { verdict, recording: isModel ? { format: 1, judge: judge.name, answers: inOrder } : null };
}

function spentOn({ judge, trialId }: RubricToJudge, deps: JudgeDeps): { usage: Usage; cost: Cost } {
  if (judge.kind === 'model') return deps.spent(judgeId(trialId));
  return { usage: noUsage, cost: judge.kind === 'replay' ? { amountUsd: null, kind: 'replay' } : noCost };
}

const unasked: JudgeVote = { verdict: null, evidence: '', void: 'It was not answered.' };

type OnAnswer = (criterion: Criterion, vote: number, key: string, text: string) => void;

async function askAll(
  { trialId, criteria, judge, votes }: RubricToJudge,
  shown: ShownWork,
  deps: JudgeDeps,
  signal: AbortSignal,
  onAnswer: OnAnswer,
): Promise<void> {
  const questions = criteria.flatMap(criterion =>
    Array.from({ length: votes }, (_, index) => {
      const vote = index + 1;
      return { criterion, vote, question: toQuestion(criterion, shown, vote) };
    }),
  );
  if (judge.kind === 'none') throw noJudge();
  if (judge.kind === 'replay') {
    const recorded = await loadAnswers(judge.place, id => deps.exchangesOf(id));
    for (const { criterion, vote, question } of questions) {
      const text = recorded.get(question.key);
      if (text === undefined) throw missedAnswer(criterion.id, vote);
      onAnswer(criterion, vote, question.key, text);
    }
    return;
  }
  const launch = await deps.openLaunch(launchOf(trialId, judge, deps));
  // The first failure ends all: others would only cost.
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const ask = async ({ criterion, vote, question }: { criterion: Criterion; vote: number; question: Question }) => {
    try {
      either.throwIfAborted();
      onAnswer(criterion, vote, question.key, await askModel(judge, question, launch, deps.pauseMs, either));
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  };
  try {
    await runEach(questions, questionsAtOnce, ask);
  } finally {
    // Connections are kept open for more requests, and there are none.
    launch.abort();
    await launch.settled();
    await launch.dispose();
  }
}

function launchOf(trialId: string, judge: Extract<JudgeChoice, { kind: 'model' }>, { keys }: JudgeDeps): LaunchSpec {
  const { provider } = judge;
  return {
    ...{ agent: 'judge', label: judge.name, overrides: [], replay: false, defaultHost: provider.host },
    ...{ realKey: requireJudgeKey(judge, keys), trialId: judgeId(trialId), apiHosts: [provider.host] },
  };
}

function isEmpty({ patch, message }: ShownWork): boolean {
  return patch.trim() === '' && (message ?? '').trim() === '';
}

function emptyVerdict({ criteria, judge, votes }: RubricToJudge): RubricVerdict {
  const unmet = criteria.map(
    (criterion): CriterionVerdict => ({
      ...criterion,
      ...{ verdict: 'unmet', agreement: null, votes: [] },
    }),
  );
  return {
    ...{ judge: judge.kind === 'none' ? null : judge.name, votes, share: 0, criteria: unmet, agreement: null },
    ...{ leftOut: ['Nothing was changed and nothing said, so no judge was asked.'], error: null },
    ...{ usage: noUsage, cost: noCost },
  };
}

function noJudge(): CoachError {
  return new CoachError('judge.missing', 'The rubric was not judged: no judge is set.', {
    hint: 'Name one such as openai/gpt-5.5 in the setting judge.model (COACH_JUDGE). Then: codex-coach runs regrade <run> --rubric-only',
  });
}

function undecided(criteria: readonly CriterionVerdict[], judge: JudgeChoice): CoachError | null {
  const open = criteria.filter(({ verdict }) => verdict === null);
  const [first] = open;
  if (first === undefined || judge.kind === 'none') return null;
  const why = first.votes.find(vote => vote.void !== null)?.void;
  return new CoachError(
    'judge.failed',
    `The judge ${judge.name} came to no majority on ${open.map(({ id }) => id).join(', ')}.${why ? ` A void vote: ${why}` : ''}`,
    {
      hint: 'Its answers are in verifier/judge.json of the trial. Word the criterion more exactly, or ask for more votes.',
    },
  );
}

function meanAgreement(criteria: readonly CriterionVerdict[]): number | null {
  const known = criteria.flatMap(({ agreement }) => agreement ?? []);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
