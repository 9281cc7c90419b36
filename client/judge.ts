import * as vscode from 'vscode';
import { prefix } from './contributions.ts';
import { showWarning } from './messages.ts';
import { setting } from './settings.ts';

/** Who judges rubrics by the setting as it is now: the server may have started before. Without one, the server's own. */
export function chosenJudge(): { readonly judge?: string } {
  const judge = setting('judge.model').trim();
  return judge === '' ? {} : { judge };
}

/** Settings of the machine are the other machine's where the editor is connected to one, and listed on a page apart. */
export async function openJudgeSetting(): Promise<void> {
  const page = vscode.env.remoteName === undefined ? 'openSettings' : 'openRemoteSettings';
  await vscode.commands.executeCommand(`workbench.action.${page}`, { query: `@id:${prefix}.judge.model` });
}

/** Says something with a button beside the others that leads to the setting. Undefined when that or nothing was chosen. */
export async function warnOfNoJudge(message: string, ...others: string[]): Promise<string | undefined> {
  const set = vscode.l10n.t('Set a Judge…');
  const chosen = await showWarning(message, set, ...others);
  if (chosen !== set) return chosen;
  await openJudgeSetting();
  return undefined;
}
