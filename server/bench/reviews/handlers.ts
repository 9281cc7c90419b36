import type { Handlers } from '../../../protocol/api.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { type ReviewComment, reviews } from '../../../protocol/reviews.ts';
import { Criterion } from '../../../protocol/rubric.ts';
import type { TrialSummary } from '../../../protocol/runs.ts';
import type { EventBus } from '../../base/bus.ts';
import { type Clock, toIso } from '../../base/clock.ts';
import { orderedId } from '../../base/ids.ts';
import { toSlug } from '../../tasks/places.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { addCriterion } from '../../tasks/rubric.ts';
import type { SessionSource } from '../../tasks/sessionSource.ts';
import { type JudgeSettings, parseJudge } from '../rubric/judgeChoice.ts';
import type { RunStore } from '../runs/runStore.ts';
import { fileOn } from '../trials/trialView.ts';
import { changeHandlers } from './changeHandlers.ts';

export interface ReviewDeps {
  readonly store: RunStore;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly sessions: SessionSource;
  loadTask(root: string, name: string): Promise<PreparedTask>;
  /** What judges rubrics where no request names another. */
  judge(): JudgeSettings;
}

type AddParams = Parameters<Handlers<typeof reviews>['add']>[0];
type Place = Pick<ReviewComment, 'file' | 'line' | 'endLine' | 'side'>;

/** What people say about trials, line by line, and how it becomes part of how they are judged. */
export function reviewHandlers(deps: ReviewDeps): Handlers<typeof reviews> {
  const { store, bus, clock, sessions, loadTask } = deps;
  const requireComment = (id: string): ReviewComment => {
    const comment = store.reviews.comment(id);
    if (comment !== null) return comment;
    throw new CoachError('comment.missing', `No comment ${id}.`, {
      hint: 'See: codex-coach review comment list <trial>',
    });
  };
  const requireTrial = (id: string): TrialSummary => {
    const trial = store.trial(id);
    if (trial !== null) return trial;
    throw new CoachError('trial.missing', `No trial ${id}.`, { hint: 'See: codex-coach runs show <run>' });
  };
  const taskOf = (trial: TrialSummary) => loadTask(store.run(trial.runId)?.repository ?? '', trial.task);
  const save = (comment: ReviewComment): ReviewComment => {
    const saved = { ...comment, updatedAt: toIso(clock.now()) };
    store.reviews.save(saved);
    bus.publish(reviews, 'changed', { trialId: saved.trialId });
    return saved;
  };
  const opening = (comment: ReviewComment) => (comment.replyTo === null ? comment : requireComment(comment.replyTo));
  return {
    ...changeHandlers({ store, sessions, requireTrial, taskOf }),
    async add(params, signal) {
      const trial = requireTrial(params.trialId);
      const replied = params.replyTo === undefined ? null : opening(requireComment(params.replyTo));
      if (replied !== null && replied.trialId !== trial.id) {
        throw new CoachError('input.invalid', `Comment ${replied.id} is about another trial.`);
      }
      const place = replied ?? (await placeOf(params, trial, await taskOf(trial), signal));
      const { file, line, endLine, side } = place;
      const createdAt = toIso(clock.now());
      return save({
        ...{ id: orderedId(clock.now()), trialId: trial.id, file, line, endLine, side, text: params.text },
        ...{ replyTo: replied?.id ?? null, resolved: replied?.resolved ?? false, criterion: null },
        ...{ createdAt, updatedAt: createdAt },
      });
    },
    list({ trialId, open }) {
      const all = store.reviews.ofTrial(requireTrial(trialId).id);
      return { rows: inThreads(all).filter(comment => !open || !comment.resolved) };
    },
    edit: ({ comment, text }) => save({ ...requireComment(comment), text }),
    resolve({ comment, reopen }) {
      const first = opening(requireComment(comment));
      for (const reply of store.reviews.replies(first.id)) store.reviews.save({ ...reply, resolved: !reopen });
      return save({ ...first, resolved: !reopen });
    },
    remove({ comment }) {
      const { id, trialId } = requireComment(comment);
      const removed = 1 + store.reviews.replies(id).length;
      store.reviews.remove(id);
      bus.publish(reviews, 'changed', { trialId });
      return { removed };
    },
    async toCriterion({ comment: commentId, weight, text, id }) {
      const comment = requireComment(commentId);
      if (comment.criterion !== null) {
        throw new CoachError('input.invalid', `The comment is the criterion ${comment.criterion} already.`, {
          hint: 'Edit that one in rubric.toml of the task.',
        });
      }
      const task = await taskOf(requireTrial(comment.trialId));
      const words = (text ?? comment.text).trim();
      const criterion = toCriterion(words, weight, id);
      const file = await addCriterion(task.directory, criterion, task.verifier.kind !== 'rubric');
      const judge = parseJudge(deps.judge().judge);
      return {
        ...{ comment: save({ ...comment, criterion: criterion.id }), criterion, task: task.name, file },
        judge: judge.kind === 'none' ? null : judge.name,
      };
    },
  };
}

/** @throws CoachError `input.invalid` where nobody could find the place again */
async function placeOf(
  { file, line, endLine, side }: AddParams,
  trial: TrialSummary,
  task: PreparedTask,
  signal: AbortSignal,
): Promise<Place> {
  if (file === undefined) {
    throw new CoachError('input.invalid', 'A comment needs a file.', {
      hint: 'Name it with --file, or --reply-to a comment.',
    });
  }
  const content = await fileOn(side, file, trial, task, signal);
  if (content === null) {
    throw new CoachError('input.invalid', `${file} is not there on the side ${side} of the trial.`, {
      hint: 'A file that the agent deleted is on the side start. See: codex-coach runs diff <trial>',
    });
  }
  if (line === undefined) {
    if (endLine !== undefined) throw new CoachError('input.invalid', 'An end line needs a line.');
    return { file, side, line: null, endLine: null };
  }
  const text = content.toString();
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  const last = endLine ?? line;
  if (last < line || last > lines) {
    throw new CoachError('input.invalid', `${file} has ${lines} lines, so there is no place ${line} to ${last}.`);
  }
  return { file, side, line, endLine: last };
}

function toCriterion(text: string, weight: number, id: string | undefined): Criterion {
  const parsed = Criterion.safeParse({ id: id ?? toSlug(text), text, weight });
  if (parsed.success) return parsed.data;
  throw new CoachError('input.invalid', 'The comment is too long for a criterion.', {
    hint: 'Say what must hold in a sentence, with --text.',
  });
}

/** By place, each thread together. */
function inThreads(comments: readonly ReviewComment[]): ReviewComment[] {
  const first = comments
    .filter(({ replyTo }) => replyTo === null)
    .toSorted((a, b) => a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0));
  return first.flatMap(comment => [comment, ...comments.filter(({ replyTo }) => replyTo === comment.id)]);
}
