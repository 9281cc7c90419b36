import * as vscode from 'vscode';
import type { MergedFile } from '../../protocol/reviews.ts';
import type { Coach } from '../coach.ts';
import { showInformation, showWarning } from '../messages.ts';
import { toPlaces } from './edits.ts';
import type { RecordedFiles } from './files.ts';
import { fileUri, type Review } from './review.ts';

/** A file of the working tree and what is to become of it. */
interface Target {
  readonly uri: vscode.Uri;
  readonly file: MergedFile;
}

/**
 * Brings what was accepted into the working tree, as one edit that one Undo takes back. Where the tree has moved on, the
 * result is a text that nobody has seen: it is confirmed in the refactor preview. What does not merge is told and left.
 */
export async function applyAccepted(coach: Coach, files: RecordedFiles, review: Review): Promise<void> {
  const accepted = review.marks.accepted(review.files);
  if (review.trial === null || accepted.length === 0) {
    void showInformation(vscode.l10n.t('Nothing is accepted yet. Accept hunks or files first.'));
    return;
  }
  if (!(await saveBefore())) return;
  const { id: trialId } = review.trial;
  const merged = await coach.api.reviews.merge({ trialId, accepted });
  const root = vscode.Uri.file(merged.repository);
  const targets = merged.files.map(file => ({ uri: vscode.Uri.joinPath(root, file.path), file }));
  const conflicts = targets.filter(({ file }) => file.action.kind === 'conflict');
  const resolve = conflicts.length > 0 && (await askAboutConflicts(conflicts));
  if (resolve === undefined) return;
  const changed = targets.filter(({ file }) => isWritten(file));
  if (changed.length > 0) {
    const edit = await toEdit(changed, review.title);
    if (!(await vscode.workspace.applyEdit(edit, { isRefactoring: true }))) return;
    for (const { uri } of changed) await findDocument(uri)?.save();
    const left = (await coach.api.reviews.merge({ trialId, accepted })).files.filter(isWritten);
    tellLeftOut(left);
    tellApplied(changed.length - left.length);
  }
  tellOutcome(targets);
  if (resolve) for (const target of conflicts) await openMergeEditor(files, review, target);
}

const writing: ReadonlySet<string> = new Set(['create', 'delete', 'replace', 'edit']);

/** Whether something is to be written for it; once all is, nothing of it is left to be. */
const isWritten = ({ action }: MergedFile): boolean => writing.has(action.kind);

const findDocument = (uri: vscode.Uri): vscode.TextDocument | undefined =>
  vscode.workspace.textDocuments.find(document => document.uri.toString() === uri.toString());

/** The merge is made of what is on the disk. False when the person did not want to save. */
async function saveBefore(): Promise<boolean> {
  if (!vscode.workspace.textDocuments.some(({ isDirty, uri }) => isDirty && uri.scheme === 'file')) return true;
  const save = vscode.l10n.t('Save All');
  const chosen = await showWarning(
    vscode.l10n.t('Save your files first?'),
    { modal: true, detail: vscode.l10n.t('Accepted changes are merged with the files as they are on the disk.') },
    save,
  );
  return chosen === save && vscode.workspace.saveAll(false);
}

/** @returns whether conflicts are to be resolved; undefined when nothing is to be done at all */
async function askAboutConflicts(conflicts: readonly Target[]): Promise<boolean | undefined> {
  const [resolve, skip] = [vscode.l10n.t('Resolve in Merge Editor'), vscode.l10n.t('Skip Them')];
  const chosen = await showWarning(
    conflicts.length === 1
      ? vscode.l10n.t('One file conflicts with what was changed here since.')
      : vscode.l10n.t('{0} files conflict with what was changed here since.', conflicts.length),
    {
      modal: true,
      detail: vscode.l10n.t(
        '{0}\n\nNothing is written to them. What else is accepted is applied.',
        conflicts.map(({ file }) => file.path).join('\n'),
      ),
    },
    resolve,
    skip,
  );
  return chosen === undefined ? undefined : chosen === resolve;
}

async function toEdit(targets: readonly Target[], title: string): Promise<vscode.WorkspaceEdit> {
  const edit = new vscode.WorkspaceEdit();
  for (const { uri, file } of targets) {
    const confirm = { needsConfirmation: file.moved, label: title, description: file.path };
    const { action } = file;
    switch (action.kind) {
      case 'create':
        edit.createFile(uri, { contents: Buffer.from(action.content, 'base64') }, confirm);
        break;
      case 'delete':
        edit.deleteFile(uri, {}, confirm);
        break;
      case 'replace':
        // In two steps, because Undo would only remove a file that was written over.
        edit.deleteFile(uri, {}, confirm);
        edit.createFile(uri, { contents: Buffer.from(action.content, 'base64') }, confirm);
        break;
      case 'edit': {
        const document = await vscode.workspace.openTextDocument(uri);
        edit.set(uri, toTextEdits(document, action, confirm));
        break;
      }
      case 'none':
      case 'conflict':
      case 'refused':
        break;
    }
  }
  return edit;
}

function toTextEdits(
  document: vscode.TextDocument,
  { before, edits }: MergedFile['action'] & { kind: 'edit' },
  confirm: vscode.WorkspaceEditEntryMetadata,
): [vscode.TextEdit, vscode.WorkspaceEditEntryMetadata][] {
  if (document.getText() !== Buffer.from(before, 'base64').toString()) {
    throw new Error(vscode.l10n.t('{0} has just changed, or is not UTF-8 here. Try again.', document.uri.path));
  }
  const end = document.lineAt(document.lineCount - 1).range.end;
  return toPlaces(edits, end).map(({ start, end: to, text }) => [
    vscode.TextEdit.replace(new vscode.Range(start.line, start.character, to.line, to.character), text),
    confirm,
  ]);
}

/** In the preview, what was to be confirmed is left out until it is ticked. */
function tellLeftOut(left: readonly MergedFile[]): void {
  if (left.length === 0) return;
  const names = left.map(({ path }) => path).join(', ');
  void showWarning(vscode.l10n.t('Not ticked in the preview, and so not applied: {0}', names));
}

/** The files may not be open, so that nothing would show it. */
function tellApplied(files: number): void {
  if (files === 0) return;
  void showInformation(
    files === 1
      ? vscode.l10n.t('Applied to 1 file. One Undo takes it back.')
      : vscode.l10n.t('Applied to {0} files. One Undo takes it back.', files),
  );
}

/** What was not done, and why. */
function tellOutcome(targets: readonly Target[]): void {
  const refused = targets.flatMap(({ file }) =>
    file.action.kind === 'refused' ? [`${file.path}: ${file.action.reason}`] : [],
  );
  if (refused.length > 0) {
    void showWarning(vscode.l10n.t('Left as they are: {0}', refused.join(' ')));
  }
  const modes = targets.flatMap(({ file }) => (file.mode === null ? [] : [`${file.path} (${file.mode.slice(-3)})`]));
  if (modes.length > 0) {
    void showWarning(
      vscode.l10n.t(
        'The agent also changed file modes, which an editor can’t set. Use chmod for: {0}',
        modes.join(', '),
      ),
    );
  }
  if (targets.every(({ file }) => file.action.kind === 'none')) {
    void showInformation(vscode.l10n.t('All that is accepted is in the working tree already.'));
  }
}

/** The editor's own three-way view; the file changes when the person saves the result. */
async function openMergeEditor(files: RecordedFiles, review: Review, { uri, file }: Target): Promise<void> {
  const reviewed = review.files.find(({ path }) => path === file.path);
  const base = reviewed === undefined ? undefined : fileUri(review, reviewed, 'start');
  const accepted = file.action.kind === 'conflict' ? file.action.accepted : null;
  if (reviewed === undefined || reviewed.binary || accepted === null) {
    const [start, end] = reviewed === undefined ? [] : [base, fileUri(review, reviewed, 'end')];
    const recorded = end ?? start;
    if (recorded === undefined) return;
    await vscode.commands.executeCommand('vscode.diff', recorded, uri, file.path);
    return;
  }
  const empty = files.keep(file.path, new Uint8Array());
  const ours = await vscode.workspace.fs.readFile(uri).then(
    content => files.keep(file.path, content),
    () => empty,
  );
  await vscode.commands.executeCommand('_open.mergeEditor', {
    base: base ?? empty,
    input1: { uri: ours, title: vscode.l10n.t('Working Tree') },
    input2: {
      uri: files.keep(file.path, Buffer.from(accepted, 'base64')),
      title: vscode.l10n.t('Agent'),
    },
    output: uri,
  });
}
