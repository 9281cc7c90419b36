import { posix } from 'node:path';
import * as vscode from 'vscode';
import type { ReviewFile, TestFailure } from '../../protocol/reviews.ts';
import { commandId } from '../contributions.ts';
import { reviewViewId } from './contributions.ts';
import type { CurrentReview } from './current.ts';
import { type Decision, partsOf } from './marks.ts';
import type { Review } from './review.ts';

/** Rows of the view; commands get them as their argument. */
export type ReviewNode =
  | { readonly kind: 'reviewFile'; readonly file: ReviewFile }
  | { readonly kind: 'reviewHunk'; readonly file: ReviewFile; readonly part: number }
  | { readonly kind: 'reviewFailures' }
  | { readonly kind: 'reviewFailure'; readonly failure: TestFailure };

const decisionIcons: Readonly<Record<Decision, vscode.ThemeIcon>> = {
  accepted: new vscode.ThemeIcon('pass-filled', new vscode.ThemeColor('charts.green')),
  rejected: new vscode.ThemeIcon('circle-slash', new vscode.ThemeColor('disabledForeground')),
};
const rowScheme = 'codex-coach-review';
const undecidedIcon = new vscode.ThemeIcon('circle-outline');

/** The files under review with a mark for what was viewed, their hunks, and the tests that failed. */
export function createReviewView(current: CurrentReview): vscode.Disposable {
  const changed = new vscode.EventEmitter<undefined>();
  const provider: vscode.TreeDataProvider<ReviewNode> = {
    onDidChangeTreeData: changed.event,
    getChildren: node => (current.review === undefined ? [] : children(current.review, node)),
    getTreeItem: node => (current.review === undefined ? new vscode.TreeItem('') : toItem(current.review, node)),
  };
  const tree = vscode.window.createTreeView(reviewViewId, { treeDataProvider: provider, showCollapseAll: true });
  return vscode.Disposable.from(
    tree,
    changed,
    tree.onDidChangeCheckboxState(({ items }) => {
      for (const [node, state] of items) {
        if (node.kind !== 'reviewFile') continue;
        current.setViewed(node.file, state === vscode.TreeItemCheckboxState.Checked);
      }
    }),
    current.onDidChange(() => {
      tree.description = current.review?.title ?? '';
      tree.message = current.review === undefined ? '' : progress(current.review);
      changed.fire(undefined);
    }),
  );
}

function progress({ files, marks, trial, side }: Review): string {
  const viewed = files.filter(file => marks.viewed(file)).length;
  const words = [vscode.l10n.t('{0} of {1} files viewed', viewed, files.length)];
  if (trial !== null && side === 'agent') {
    const parts = files.flatMap(file => Array.from({ length: partsOf(file) }, (_, part) => marks.decision(file, part)));
    const count = (decision: Decision) => parts.filter(made => made === decision).length;
    words.push(
      vscode.l10n.t('{0} of {1} changes accepted, {2} rejected', count('accepted'), parts.length, count('rejected')),
    );
  }
  return words.join('. ');
}

function children({ files, failures }: Review, node: ReviewNode | undefined): ReviewNode[] {
  if (node === undefined) {
    const rows = files.map((file): ReviewNode => ({ kind: 'reviewFile', file }));
    return failures.length === 0 ? rows : [...rows, { kind: 'reviewFailures' }];
  }
  if (node.kind === 'reviewFailures') return failures.map(failure => ({ kind: 'reviewFailure', failure }));
  if (node.kind !== 'reviewFile' || node.file.hunks.length < 2) return [];
  return node.file.hunks.map((_, part) => ({ kind: 'reviewHunk', file: node.file, part }));
}

function toItem(review: Review, node: ReviewNode): vscode.TreeItem {
  const item = rowOf(review, node);
  item.accessibilityInformation = { label: [item.label, item.description].filter(Boolean).join(', ') };
  return item;
}

function rowOf(review: Review, node: ReviewNode): vscode.TreeItem {
  switch (node.kind) {
    case 'reviewFile':
      return fileItem(review, node);
    case 'reviewHunk':
      return hunkItem(review, node);
    case 'reviewFailures': {
      const item = new vscode.TreeItem(vscode.l10n.t('Failed tests'), vscode.TreeItemCollapsibleState.Expanded);
      item.id = 'failures';
      item.description = String(review.failures.length);
      item.iconPath = new vscode.ThemeIcon('testing-failed-icon', new vscode.ThemeColor('testing.iconFailed'));
      return item;
    }
    case 'reviewFailure':
      return failureItem(node);
  }
}

function fileItem(review: Review, node: ReviewNode & { kind: 'reviewFile' }): vscode.TreeItem {
  const { file } = node;
  const { Collapsed, None } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(posix.basename(file.path), file.hunks.length > 1 ? Collapsed : None);
  const parts = Array.from({ length: partsOf(file) }, (_, part) => review.marks.decision(file, part));
  item.id = file.path;
  // Only for the icon: the files' own addresses would put a lock on every row.
  item.resourceUri = vscode.Uri.from({ scheme: rowScheme, path: `/${file.path}` });
  item.iconPath = vscode.ThemeIcon.File;
  item.description = [directoryOf(file.path), statusWords(file), decisionWords(parts)].filter(Boolean).join(' · ');
  item.tooltip = file.path;
  item.contextValue = isDecidable(review) ? 'review.file' : 'review.fixed';
  item.command = openCommand(node);
  const { Checked, Unchecked } = vscode.TreeItemCheckboxState;
  const viewed = review.marks.viewed(file);
  item.checkboxState = {
    state: viewed ? Checked : Unchecked,
    tooltip: viewed ? vscode.l10n.t('Viewed') : vscode.l10n.t('Not viewed yet'),
    accessibilityInformation: { label: vscode.l10n.t('Viewed'), role: 'checkbox' },
  };
  return item;
}

function hunkItem(review: Review, node: ReviewNode & { kind: 'reviewHunk' }): vscode.TreeItem {
  const { file, part } = node;
  const { line = 0, count = 0 } = file.hunks[part]?.end ?? {};
  const label =
    count === 0
      ? vscode.l10n.t('Removed after line {0}', line)
      : count === 1
        ? vscode.l10n.t('Line {0}', line)
        : vscode.l10n.t('Lines {0}–{1}', line, line + count - 1);
  const decision = review.marks.decision(file, part);
  const item = new vscode.TreeItem(label);
  item.id = `${file.path} ${part}`;
  item.iconPath = decision === undefined ? undecidedIcon : decisionIcons[decision];
  item.description = decisionWords([decision]);
  item.contextValue = isDecidable(review) ? 'review.hunk' : 'review.fixed';
  item.command = openCommand(node);
  return item;
}

function failureItem(node: ReviewNode & { kind: 'reviewFailure' }): vscode.TreeItem {
  const { test, message, places } = node.failure;
  const item = new vscode.TreeItem(test.split(' > ').at(-1) ?? test);
  const [place] = places;
  item.id = `failure ${test}`;
  item.description = place === undefined ? (message ?? '') : `${place.path}:${place.line}`;
  item.tooltip = [test, message].filter(Boolean).join('\n');
  item.iconPath = new vscode.ThemeIcon('error', new vscode.ThemeColor('testing.iconFailed'));
  if (place !== undefined) item.command = openCommand(node);
  return item;
}

const openCommand = (node: ReviewNode): vscode.Command => ({
  command: commandId('openReviewFile'),
  title: vscode.l10n.t('Open Changes'),
  arguments: [node],
});

export const isDecidable = ({ trial, side }: Review): boolean => trial !== null && side === 'agent';

const directoryOf = (path: string): string => (path.includes('/') ? posix.dirname(path) : '');

function statusWords({ status, binary, start, end }: ReviewFile): string {
  const kind = (end ?? start)?.mode === '120000' ? vscode.l10n.t('link') : binary ? vscode.l10n.t('binary') : '';
  const words = { added: vscode.l10n.t('added'), deleted: vscode.l10n.t('deleted'), modified: '' }[status];
  return [words, kind].filter(Boolean).join(', ');
}

function decisionWords(parts: readonly (Decision | undefined)[]): string {
  const accepted = parts.filter(decision => decision === 'accepted').length;
  const rejected = parts.filter(decision => decision === 'rejected').length;
  if (accepted === parts.length) return vscode.l10n.t('accepted');
  if (rejected === parts.length) return vscode.l10n.t('rejected');
  if (accepted > 0) return vscode.l10n.t('{0} of {1} accepted', accepted, parts.length);
  return rejected > 0 ? vscode.l10n.t('{0} of {1} rejected', rejected, parts.length) : '';
}
