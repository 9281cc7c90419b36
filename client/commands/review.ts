import * as vscode from 'vscode';
import type { TrialSummary } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import { showInformation, showWarning } from '../messages.ts';
import { pickRepository } from '../repository.ts';
import { applyAccepted } from '../review/apply.ts';
import type { reviewCommands as contributed } from '../review/contributions.ts';
import { makeCriterion } from '../review/criterion.ts';
import type { CurrentReview, Part } from '../review/current.ts';
import { placeUri } from '../review/diagnostics.ts';
import { showBeside, showFile, showReview } from '../review/diff.ts';
import type { RecordedFiles } from '../review/files.ts';
import type { Decision, MarkStore } from '../review/marks.ts';
import { loadSessionReview, loadTrialReview, type Review } from '../review/review.ts';
import type { ReviewThreads, ShownComment } from '../review/threads.ts';
import type { ReviewNode } from '../review/view.ts';
import type { SessionNode, TrialNode } from '../views/nodes.ts';
import { type CommandHandlers, rowsOf } from './handler.ts';
import { pickChangedTrial, pickOtherTrial, pickSession } from './picks.ts';

export interface ReviewParts {
  readonly coach: Coach;
  readonly current: CurrentReview;
  readonly threads: ReviewThreads;
  readonly files: RecordedFiles;
  readonly store: MarkStore;
}

/** Looking at a change, saying what is thought of it, and taking it over. */
export function reviewCommands(parts: ReviewParts): CommandHandlers<keyof typeof contributed> {
  return { ...openCommands(parts), ...decisionCommands(parts), ...commentCommands(parts) };
}

type OpenNames =
  | 'reviewDiff'
  | 'reviewBeside'
  | 'reviewSession'
  | 'showReview'
  | 'showReference'
  | 'showAgent'
  | 'openReviewFile'
  | 'endReview';

function openCommands({ coach, current, store }: ReviewParts): CommandHandlers<OpenNames> {
  const open = async (trial: TrialSummary, side: Review['side']) => {
    const review = await loadTrialReview(coach, store, trial, side);
    if (review.files.length === 0 && side === 'agent') {
      void showInformation(vscode.l10n.t('This trial changed no file.'));
      return;
    }
    current.show(review);
    await showReview(review);
  };
  const other = async (side: Review['side']) => {
    if (current.review?.trial) await open(current.review.trial, side);
  };
  return {
    async reviewDiff(target) {
      const trial = trialOf(target) ?? (await pickChangedTrial(coach, vscode.l10n.t('Review Diff')));
      if (trial !== undefined) await open(trial, 'agent');
    },
    async reviewBeside(target) {
      const title = vscode.l10n.t('Review Beside Another Trial');
      const trial = trialOf(target) ?? (await pickChangedTrial(coach, title));
      const beside = trial === undefined ? undefined : await pickOtherTrial(coach, title, trial);
      if (trial === undefined || beside === undefined || (await showBeside(coach, trial, beside))) return;
      void showInformation(vscode.l10n.t('Both trials left the same files.'));
    },
    reviewSession: target => reviewSession(coach, current, store, target),
    async showReview() {
      if (current.review !== undefined) await showReview(current.review);
    },
    showReference: () => other('reference'),
    showAgent: () => other('agent'),
    openReviewFile: target => openRow(current, target as ReviewNode | undefined),
    endReview: () => current.show(undefined),
  };
}

async function reviewSession(coach: Coach, current: CurrentReview, store: MarkStore, target: unknown): Promise<void> {
  const [row] = rowsOf<SessionNode>('session', target);
  const session = row?.session ?? (await pickSession(coach, vscode.l10n.t('Review What the Session Changed')));
  const repository = session?.repository ?? (session === undefined ? undefined : await pickRepository());
  if (session === undefined || repository === undefined) return;
  const { review, notes } = await loadSessionReview(coach, store, session, repository);
  if (review.files.length === 0) {
    void showInformation(vscode.l10n.t('As far as is known, this session changed no file.'));
    return;
  }
  current.show(review);
  await showReview(review);
  if (notes.length > 0) void showInformation(notes.join(' '));
}

async function openRow({ review }: CurrentReview, node: ReviewNode | undefined): Promise<void> {
  if (review === undefined) return;
  if (node?.kind === 'reviewFile') await showFile(review, node.file, node.file.hunks[0]?.end.line ?? null);
  if (node?.kind === 'reviewHunk') await showFile(review, node.file, node.file.hunks[node.part]?.end.line ?? null);
  const place = node?.kind === 'reviewFailure' ? node.failure.places[0] : undefined;
  if (place === undefined) return;
  const at = new vscode.Range(place.line - 1, 0, place.line - 1, 0);
  await vscode.commands.executeCommand('vscode.open', placeUri(review, place), { selection: at, preview: true });
}

type DecisionNames =
  | 'acceptChange'
  | 'rejectChange'
  | 'acceptFile'
  | 'rejectFile'
  | 'acceptAll'
  | 'clearDecisions'
  | 'applyAccepted'
  | 'showActionsInDiffs';

function decisionCommands({ coach, current, files }: ReviewParts): CommandHandlers<DecisionNames> {
  const decide = (target: unknown, decision: Decision, whole = false) => {
    const found = partsOf(current, target);
    if (found.length === 0) {
      void showInformation(vscode.l10n.t('There is no change under review at this place.'));
    }
    current.decide(whole ? found.map(({ file }) => ({ file, part: null })) : found, decision);
  };
  return {
    acceptChange: target => decide(target, 'accepted'),
    rejectChange: target => decide(target, 'rejected'),
    acceptFile: target => decide(target, 'accepted', true),
    rejectFile: target => decide(target, 'rejected', true),
    acceptAll: () =>
      current.decide(
        (current.review?.files ?? []).map(file => ({ file, part: null })),
        'accepted',
      ),
    clearDecisions: () => current.clearDecisions(),
    async applyAccepted() {
      if (current.review !== undefined) await applyAccepted(coach, files, current.review);
    },
    showActionsInDiffs: () =>
      vscode.workspace.getConfiguration('diffEditor').update('codeLens', true, vscode.ConfigurationTarget.Global),
  };
}

/** What a command was started on: a row, a lens, a line's number, or the selection in the editor. */
function partsOf(current: CurrentReview, target: unknown): Part[] {
  const node = target as Partial<ReviewNode & { uri: vscode.Uri; lineNumber: number }> | undefined;
  if (node?.kind === 'reviewHunk' && node.file !== undefined) return [{ file: node.file, part: node.part ?? null }];
  if (node?.kind === 'reviewFile' && node.file !== undefined) return [{ file: node.file, part: null }];
  if (node?.uri !== undefined && node.lineNumber !== undefined) {
    return current.partsAt(node.uri, node.lineNumber - 1, node.lineNumber - 1);
  }
  const editor = vscode.window.activeTextEditor;
  return editor === undefined
    ? []
    : current.partsAt(editor.document.uri, editor.selection.start.line, editor.selection.end.line);
}

type CommentNames =
  | 'addReviewComment'
  | 'editReviewComment'
  | 'saveReviewComment'
  | 'cancelReviewComment'
  | 'deleteReviewComment'
  | 'resolveReviewThread'
  | 'reopenReviewThread'
  | 'commentToCriterion';

function commentCommands({ coach, current, threads }: ReviewParts): CommandHandlers<CommentNames> {
  const { reviews } = coach.api;
  const firstOf = (target: unknown) => (target as vscode.CommentThread).comments[0] as ShownComment;
  return {
    addReviewComment: target => threads.add(target as vscode.CommentReply),
    editReviewComment: target => threads.setEditing(target as ShownComment, true),
    cancelReviewComment: target => threads.setEditing(target as ShownComment, false),
    async saveReviewComment(target) {
      const { stored, body } = target as ShownComment;
      threads.setEditing(target as ShownComment, false);
      await reviews.edit({ comment: stored.id, text: typeof body === 'string' ? body : body.value });
    },
    async deleteReviewComment(target) {
      const { stored } = target as ShownComment;
      const remove = vscode.l10n.t('Delete');
      const words = vscode.l10n.t('Delete this comment?');
      const detail = stored.replyTo === null ? vscode.l10n.t('Its replies are deleted with it.') : '';
      const chosen = await showWarning(words, { modal: true, detail }, remove);
      if (chosen === remove) await reviews.remove({ comment: stored.id });
    },
    resolveReviewThread: target => reviews.resolve({ comment: firstOf(target).stored.id }),
    reopenReviewThread: target => reviews.resolve({ comment: firstOf(target).stored.id, reopen: true }),
    async commentToCriterion(target) {
      const trial = current.review?.trial;
      if (trial) await makeCriterion(coach, (target as ShownComment).stored, trial);
    },
  };
}

function trialOf(target: unknown): TrialSummary | undefined {
  return rowsOf<TrialNode>('trial', target)[0]?.trial;
}
