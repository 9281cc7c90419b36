import * as vscode from 'vscode';
import type { Coach } from '../coach.ts';
import { type ReviewParts, reviewCommands } from '../commands/review.ts';
import { fileScheme } from '../contributions.ts';
import { CurrentReview } from './current.ts';
import { createFailureMarks } from './diagnostics.ts';
import { RecordedFiles } from './files.ts';
import { createLenses } from './lenses.ts';
import type { MarkStore } from './marks.ts';
import { ReviewThreads } from './threads.ts';
import { createReviewView } from './view.ts';

/** The review of changes: recorded files, the view of what changed, comments, and the commands for them. */
export function createReview(
  coach: Coach,
  store: MarkStore,
): vscode.Disposable & { readonly commands: ReturnType<typeof reviewCommands> } {
  const current = new CurrentReview();
  const files = new RecordedFiles(coach);
  const threads = new ReviewThreads(coach, current);
  const parts: ReviewParts = { coach, current, threads, files, store };
  const owned = vscode.Disposable.from(
    current,
    threads,
    createReviewView(current),
    createLenses(current),
    createFailureMarks(current),
    vscode.workspace.registerFileSystemProvider(fileScheme, files, { isReadonly: true }),
  );
  return { commands: reviewCommands(parts), dispose: () => void owned.dispose() };
}
