import * as vscode from 'vscode';
import { type CommandName, commandId, commands, extensionId } from './contributions.ts';

interface Manifest {
  readonly contributes?: { readonly commands?: readonly { readonly command: string; readonly title: string }[] };
}

/** A command's title in the editor's language: the editor has put its texts into the manifest it holds. */
export function titleOf(name: CommandName): string {
  const manifest = vscode.extensions.getExtension(extensionId)?.packageJSON as Manifest | undefined;
  const entry = manifest?.contributes?.commands?.find(({ command }) => command === commandId(name));
  return entry?.title ?? commands[name].title;
}
