import * as vscode from 'vscode';
import type { ReviewFile, TestFailure } from '../../protocol/reviews.ts';
import type { TrialSummary } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import { toMoment } from '../views/moment.ts';
import { type MarkStore, Marks } from './marks.ts';
import { type Origin, type RecordedFile, type Side, toUri } from './uris.ts';

/** One change under review, with what a person marked in it. What is shown of it never changes. */
export interface Review {
  readonly origin: Origin;
  readonly title: string;
  /** Null for a recorded session. */
  readonly trial: TrialSummary | null;
  /** What stands on the right. */
  readonly side: Exclude<Side, 'start'>;
  readonly files: readonly ReviewFile[];
  readonly failures: readonly TestFailure[];
  readonly marks: Marks;
}

/** @throws CoachError, such as `task.invalid` when there is no reference to show */
export async function loadTrialReview(
  coach: Coach,
  store: MarkStore,
  trial: TrialSummary,
  side: Review['side'],
): Promise<Review> {
  const [{ files }, failures] = await Promise.all([
    coach.api.reviews.changes({ trialId: trial.id, side }),
    side === 'agent' ? coach.api.reviews.failures({ trialId: trial.id }) : { rows: [] },
  ]);
  const name = side === 'agent' ? `${trial.agentLabel} #${trial.attempt}` : vscode.l10n.t('reference');
  return {
    origin: { kind: 'trial', trialId: trial.id },
    // What differs between reviews stands first: a view's heading and a tab are short.
    title: vscode.l10n.t('start ↔ {0}, {1}', [name, momentOf(trial)].filter(Boolean).join(' '), trial.task),
    ...{ trial, side, files, failures: failures.rows },
    marks: new Marks(store, side === 'agent' ? trial.id : `${trial.id} ${side}`),
  };
}

/** When the trial began: trials of two runs differ in nothing else. */
function momentOf({ startedAt }: TrialSummary): string {
  return startedAt === null ? '' : toMoment(startedAt);
}

/** What a recorded session changed, as far as that is known. `notes` say what was taken for granted. */
export async function loadSessionReview(
  coach: Coach,
  store: MarkStore,
  session: { readonly id: string; readonly title: string },
  repository: string,
): Promise<{ review: Review; notes: readonly string[] }> {
  const { files, notes } = await coach.api.reviews.session({ repository, sessionId: session.id });
  const review: Review = {
    origin: { kind: 'session', sessionId: session.id, repository },
    title: vscode.l10n.t('Session: {0}', session.title || session.id),
    ...{ trial: null, side: 'agent', files, failures: [] },
    marks: new Marks(store, session.id),
  };
  return { review, notes };
}

/** A file of the review on one side; undefined where it is not there. */
export function fileUri(review: Review, file: ReviewFile, side: 'start' | 'end'): vscode.Uri | undefined {
  const version = side === 'start' ? file.start : file.end;
  if (version === null) return undefined;
  return toUri({
    origin: review.origin,
    side: side === 'start' ? 'start' : review.side,
    path: file.path,
    blob: version.blob,
  });
}

/** The file of the review that a document shows, on whichever side. */
export function reviewedFile(review: Review, shown: RecordedFile): ReviewFile | undefined {
  const same = JSON.stringify(shown.origin) === JSON.stringify(review.origin);
  return same ? review.files.find(({ path }) => path === shown.path) : undefined;
}
