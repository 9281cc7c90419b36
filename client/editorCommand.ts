import * as vscode from 'vscode';

/** Whether the editor has a command that is not ours: one of git is missing where the editor's own git is turned off. */
export async function editorHas(command: string): Promise<boolean> {
  return (await vscode.commands.getCommands(true)).includes(command);
}
