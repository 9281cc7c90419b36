import * as vscode from 'vscode';
import { signalOf } from '../protocol/channels/lsp.ts';
import { unlinked } from './messages.ts';

/** Runs something that a person waits for, with a notification in which it can be cancelled. */
export async function withCancellableProgress<T>(title: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: unlinked(title), cancellable: true },
    (_, token) => work(signalOf(token)),
  );
}
