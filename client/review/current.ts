import * as vscode from 'vscode';
import type { ReviewFile } from '../../protocol/reviews.ts';
import { reviewContextKey, reviewSideKey } from './contributions.ts';
import { type Decision, partsOf } from './marks.ts';
import { type Review, reviewedFile } from './review.ts';
import { toRecordedFile } from './uris.ts';

/** A part of a file that is decided on; null is every part. */
export interface Part {
  readonly file: ReviewFile;
  readonly part: number | null;
}

/** The review that this window shows, if any. */
export class CurrentReview implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  /** Another review, or a mark in it. */
  readonly onDidChange = this.#changed.event;
  #review: Review | undefined;

  get review(): Review | undefined {
    return this.#review;
  }

  show(review: Review | undefined): void {
    this.#review = review;
    void vscode.commands.executeCommand('setContext', reviewContextKey, review?.origin.kind);
    void vscode.commands.executeCommand('setContext', reviewSideKey, review?.side);
    this.#changed.fire();
  }

  setViewed(file: ReviewFile, viewed: boolean): void {
    this.#review?.marks.setViewed(file, viewed);
    this.#changed.fire();
  }

  /** A decision that is made once more is taken over as it is; only the agent's change can be decided on. */
  decide(parts: readonly Part[], decision: Decision): void {
    for (const { file, part } of parts) {
      const all = Array.from({ length: partsOf(file) }, (_, index) => index);
      this.#review?.marks.decide(file, part === null ? all : [part], decision);
    }
    this.#changed.fire();
  }

  clearDecisions(): void {
    this.#review?.marks.clearDecisions(this.#review.files);
    this.#changed.fire();
  }

  /** The parts of the change on some lines of a document, 0-based and inclusive. */
  partsAt(uri: vscode.Uri, first: number, last: number): Part[] {
    const shown = toRecordedFile(uri);
    const review = this.#review;
    const file = shown === null || review === undefined ? undefined : reviewedFile(review, shown);
    if (shown === null || file === undefined) return [];
    if (file.hunks.length === 0) return [{ file, part: null }];
    const side = shown.side === 'start' ? 'start' : 'end';
    return file.hunks.flatMap((hunk, part) => {
      // A hunk without lines on this side is met from the line before it or after it.
      const { line, count } = hunk[side];
      const [from, to] = count === 0 ? [line - 1, line] : [line - 1, line + count - 2];
      return from <= last && to >= first ? [{ file, part }] : [];
    });
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
