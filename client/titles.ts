import * as vscode from 'vscode';
import {
  type CommandName,
  commandId,
  commands,
  extensionId,
  prefix,
  type ViewName,
  viewId,
  views,
} from './contributions.ts';

interface Manifest {
  readonly contributes?: {
    readonly commands?: readonly { readonly command: string; readonly title: string }[];
    readonly views?: Readonly<Record<string, readonly { readonly id: string; readonly name: string }[]>>;
  };
}

/** A command's title in the editor's language: the editor has put its texts into the manifest it holds. */
export function titleOf(name: CommandName): string {
  const entry = contributed()?.commands?.find(({ command }) => command === commandId(name));
  return entry?.title ?? commands[name].title;
}

/** The same on a button, where nobody expects the dots before a question. */
export function buttonTitleOf(name: CommandName): string {
  return titleOf(name).replace(/…$/, '');
}

export function viewTitleOf(name: ViewName): string {
  const entry = contributed()?.views?.[prefix]?.find(({ id }) => id === viewId(name));
  return entry?.name ?? views[name].name;
}

function contributed(): Manifest['contributes'] {
  return (vscode.extensions.getExtension(extensionId)?.packageJSON as Manifest | undefined)?.contributes;
}
