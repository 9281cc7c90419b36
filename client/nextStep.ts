import * as vscode from 'vscode';
import { type CommandName, commandId } from './contributions.ts';
import { showInformation, showWarning } from './messages.ts';
import { buttonTitleOf } from './titles.ts';

/**
 * Says how things are, and offers the commands that lead on from there. Ends when the person chose one, or none.
 * @param target the row that they work on, as when they are started from it
 */
export async function offerNext(
  tell: 'information' | 'warning',
  text: string,
  names: readonly CommandName[],
  target?: unknown,
): Promise<void> {
  const offered = new Map(names.map(name => [buttonTitleOf(name), name]));
  const titles = [...offered.keys()];
  const title = await (tell === 'warning' ? showWarning(text, ...titles) : showInformation(text, ...titles));
  const chosen = title === undefined ? undefined : offered.get(title);
  if (chosen !== undefined) await vscode.commands.executeCommand(commandId(chosen), target);
}
