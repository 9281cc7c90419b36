import * as vscode from 'vscode';
import type { ReviewFile } from '../../protocol/reviews.ts';
import type { TrialSummary } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import { commandId } from '../contributions.ts';
import { fileUri, type Review } from './review.ts';
import { toUri } from './uris.ts';

type Change = [resource: vscode.Uri, original: vscode.Uri | undefined, modified: vscode.Uri | undefined];

/** Starts the review of a trial, from a page that names it. */
export async function reviewDiff(trial: TrialSummary): Promise<void> {
  await vscode.commands.executeCommand(commandId('reviewDiff'), { kind: 'trial', trial });
}

/** Opens every file of a review in one native diff editor. */
export async function showReview(review: Review): Promise<void> {
  await showChanges(
    review.title,
    review.files.map(file => [fileUri(review, file, 'start'), fileUri(review, file, 'end')]),
  );
}

/** Opens one file of a review, at a 1-based line of its right side. */
export async function showFile(review: Review, file: ReviewFile, line: number | null): Promise<void> {
  const [start, end] = [fileUri(review, file, 'start'), fileUri(review, file, 'end')];
  const at = Math.max(0, (line ?? 1) - 1);
  const options: vscode.TextDocumentShowOptions = { preview: true, selection: new vscode.Range(at, 0, at, 0) };
  if (start === undefined || end === undefined) {
    const only = start ?? end;
    if (only !== undefined) await vscode.commands.executeCommand('vscode.open', only, options);
    return;
  }
  const title = `${file.path} (${review.title})`;
  await vscode.commands.executeCommand('vscode.diff', start, end, title, options);
}

/**
 * Opens what two trials of one task left, one beside the other, for the files in which they differ.
 * @returns false when they left the same
 */
export async function showBeside(coach: Coach, left: TrialSummary, right: TrialSummary): Promise<boolean> {
  const [one, other] = await Promise.all(
    [left, right].map(async ({ id }) => (await coach.api.reviews.changes({ trialId: id })).files),
  );
  const changedBy = new Map<string, [ReviewFile | undefined, ReviewFile | undefined]>();
  for (const file of one ?? []) changedBy.set(file.path, [file, undefined]);
  for (const file of other ?? []) changedBy.set(file.path, [changedBy.get(file.path)?.[0], file]);
  const pairs = [...changedBy]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([path, [first, second]]) => {
      // What one of them left alone is there as the other one found it.
      const versions = [first?.end ?? null, second?.end ?? null];
      if (first === undefined) versions[0] = second?.start ?? null;
      if (second === undefined) versions[1] = first?.start ?? null;
      if (versions[0]?.blob === versions[1]?.blob) return [];
      const [before, after] = [left, right].map((trial, index) => {
        const version = versions[index] ?? null;
        const origin = { kind: 'trial', trialId: trial.id } as const;
        return version === null ? undefined : toUri({ origin, side: 'agent', path, blob: version.blob });
      });
      return [[before, after] as const];
    });
  if (pairs.length === 0) return false;
  const name = (trial: TrialSummary) => `${trial.agentLabel} #${trial.attempt}`;
  await showChanges(vscode.l10n.t('{0} ↔ {1}, {2}', name(left), name(right), left.task), pairs);
  return true;
}

async function showChanges(
  title: string,
  pairs: readonly (readonly [vscode.Uri | undefined, vscode.Uri | undefined])[],
): Promise<void> {
  const changes = pairs.flatMap(([start, end]): Change[] => {
    const resource = end ?? start;
    return resource === undefined ? [] : [[resource, start, end]];
  });
  await vscode.commands.executeCommand('vscode.changes', title, changes);
}
