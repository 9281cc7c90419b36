import * as vscode from 'vscode';
import type { ReviewComment } from '../../protocol/reviews.ts';
import type { Coach } from '../coach.ts';
import { commentControllerId } from './contributions.ts';
import type { CurrentReview } from './current.ts';
import type { Review } from './review.ts';
import { toRecordedFile, toUri } from './uris.ts';

/** A stored comment as the editor shows it. */
export interface ShownComment extends vscode.Comment {
  readonly stored: ReviewComment;
  readonly thread: vscode.CommentThread;
}

/** Comment threads of the trial under review. They are kept with the trial; what changes there shows here. */
export class ReviewThreads implements vscode.Disposable {
  readonly #coach: Coach;
  readonly #current: CurrentReview;
  readonly #controller: vscode.CommentController;
  readonly #threads = new Map<string, vscode.CommentThread>();
  readonly #subscriptions: vscode.Disposable;

  constructor(coach: Coach, current: CurrentReview) {
    this.#coach = coach;
    this.#current = current;
    this.#controller = vscode.comments.createCommentController(
      commentControllerId,
      vscode.l10n.t('Codex Coach Review'),
    );
    this.#controller.options = {
      prompt: vscode.l10n.t('Reply…'),
      placeHolder: vscode.l10n.t('What should hold here?'),
    };
    this.#controller.commentingRangeProvider = {
      provideCommentingRanges: document =>
        toRecordedFile(document.uri)?.origin.kind === 'trial'
          ? { enableFileComments: true, ranges: [new vscode.Range(0, 0, Math.max(0, document.lineCount - 1), 0)] }
          : undefined,
    };
    this.#subscriptions = vscode.Disposable.from(
      this.#controller,
      current.onDidChange(() => void this.#follow()),
      coach.api.reviews.on('changed', ({ trialId }) => {
        if (trialId === this.#current.review?.trial?.id) void this.#load();
      }),
    );
  }

  /** Keeps what was written in the reply box of a thread; a new thread becomes one of the trial's. */
  async add({ thread, text }: vscode.CommentReply): Promise<void> {
    const first = thread.comments[0] as ShownComment | undefined;
    const shown = toRecordedFile(thread.uri);
    if (shown?.origin.kind !== 'trial') return;
    const { side, path, origin } = shown;
    const range = thread.range;
    const place = range === undefined ? {} : { line: range.start.line + 1, endLine: range.end.line + 1 };
    const comment = await this.#coach.api.reviews.add({
      ...{ trialId: origin.trialId, text },
      ...(first === undefined ? { file: path, side, ...place } : { replyTo: first.stored.id }),
    });
    // The event of the server brings the same comment; the thread that was typed into takes its place.
    if (first === undefined) {
      this.#threads.get(comment.id)?.dispose();
      this.#threads.set(comment.id, thread);
    }
    await this.#load();
  }

  /** Shows a comment as a text to edit, or again as it is kept. */
  setEditing(comment: ShownComment, editing: boolean): void {
    const { thread } = comment;
    thread.comments = thread.comments.map(shown =>
      (shown as ShownComment).stored.id === comment.stored.id ? toShown(comment.stored, thread, editing) : shown,
    );
  }

  #shownTrial: string | undefined;
  #asked = 0;

  async #follow(): Promise<void> {
    const trialId = this.#current.review?.trial?.id;
    if (trialId === this.#shownTrial) return;
    this.#shownTrial = trialId;
    for (const thread of this.#threads.values()) thread.dispose();
    this.#threads.clear();
    await this.#load();
  }

  async #load(): Promise<void> {
    const review = this.#current.review;
    if (!review?.trial) return;
    const asked = ++this.#asked;
    try {
      const { rows } = await this.#coach.api.reviews.list({ trialId: review.trial.id });
      const isStill = asked === this.#asked && this.#current.review?.trial?.id === review.trial.id;
      // Of two answers the later one may be of how it was before.
      if (isStill) this.#show(review, rows);
    } catch (error) {
      this.#coach.log.error(`Comments could not be loaded: ${String(error)}`);
    }
  }

  #show(review: Review, rows: readonly ReviewComment[]): void {
    const opening = rows.filter(({ replyTo }) => replyTo === null);
    const known = new Set(opening.map(({ id }) => id));
    for (const [id, thread] of this.#threads) {
      if (known.has(id)) continue;
      thread.dispose();
      this.#threads.delete(id);
    }
    for (const first of opening) {
      const thread = this.#threads.get(first.id) ?? this.#open(review, first);
      this.#threads.set(first.id, thread);
      const replies = rows.filter(({ replyTo }) => replyTo === first.id);
      const { Resolved, Unresolved } = vscode.CommentThreadState;
      thread.comments = [first, ...replies].map(stored => toShown(stored, thread, isEdited(thread, stored)));
      thread.contextValue = first.resolved ? 'resolved' : 'open';
      thread.state = first.resolved ? Resolved : Unresolved;
      thread.label = first.resolved ? vscode.l10n.t('Resolved') : vscode.l10n.t('Comment on the change');
    }
  }

  #open(review: Review, { file, side, line, endLine }: ReviewComment): vscode.CommentThread {
    const changed = review.files.find(({ path }) => path === file);
    const version = side === 'start' ? changed?.start : side === review.side ? changed?.end : null;
    const uri = toUri({ origin: review.origin, side, path: file, blob: version?.blob ?? null });
    const range = line === null ? undefined : new vscode.Range(line - 1, 0, (endLine ?? line) - 1, 0);
    // Without a range it is about the whole file; the type of this call does not say so yet.
    const thread = this.#controller.createCommentThread(uri, range as vscode.Range, []);
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Collapsed;
    return thread;
  }

  dispose(): void {
    this.#asked++;
    this.#subscriptions.dispose();
  }
}

const isEdited = (thread: vscode.CommentThread, { id }: ReviewComment): boolean =>
  thread.comments.some(shown => (shown as ShownComment).stored.id === id && shown.mode === vscode.CommentMode.Editing);

function toShown(stored: ReviewComment, thread: vscode.CommentThread, editing: boolean): ShownComment {
  return {
    stored,
    thread,
    // A plain string would be read as Markdown; while it is edited, it is shown as typed.
    body: editing ? stored.text : new vscode.MarkdownString().appendText(stored.text),
    mode: editing ? vscode.CommentMode.Editing : vscode.CommentMode.Preview,
    author: { name: vscode.l10n.t('Reviewer') },
    timestamp: new Date(stored.createdAt),
    contextValue: stored.criterion === null ? 'plain' : 'criterion',
    ...(stored.criterion === null ? {} : { label: vscode.l10n.t('criterion {0}', stored.criterion) }),
  };
}
