import * as vscode from 'vscode';
import { visible } from '../protocol/visibleText.ts';

/**
 * A sentence for the editor's notifications and prompts. They make links of `[…](command:…)`, which do what they name when
 * they are clicked, and titles, paths and faults hold what others wrote. It reads the same: what parts the brackets has no
 * width.
 */
export function unlinked(text: string): string {
  return visible(text).replaceAll('](', ']\u2060(');
}

/** Resolves with the button that was chosen, if any. */
interface Show {
  (text: string, ...buttons: string[]): Thenable<string | undefined>;
  (text: string, options: vscode.MessageOptions, ...buttons: string[]): Thenable<string | undefined>;
}

/** Options, or the first button, then buttons. */
type Rest = readonly (string | vscode.MessageOptions)[];

export const showInformation: Show = (text: string, ...rest: Rest) =>
  vscode.window.showInformationMessage(unlinked(text), ...(rest as string[]));

export const showWarning: Show = (text: string, ...rest: Rest) =>
  vscode.window.showWarningMessage(unlinked(text), ...(rest as string[]));

export const showError: Show = (text: string, ...rest: Rest) =>
  vscode.window.showErrorMessage(unlinked(text), ...(rest as string[]));

/** Asks for a line of text. Undefined when the person dismissed it. */
export function askText(options: vscode.InputBoxOptions): Thenable<string | undefined> {
  const { prompt } = options;
  return vscode.window.showInputBox(prompt === undefined ? options : { ...options, prompt: unlinked(prompt) });
}
