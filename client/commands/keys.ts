import * as vscode from 'vscode';
import { keyNames } from '../../protocol/config.ts';
import type { ApiKeys } from '../keys.ts';
import type { CommandHandlers } from './handler.ts';

/** Keys of model APIs in the editor's secret storage. */
export function keyCommands(keys: ApiKeys): CommandHandlers<'setApiKey' | 'forgetApiKeys'> {
  return {
    async setApiKey() {
      const kept = await keys.all();
      const items = keyNames.map(name => ({
        label: name,
        description: name in kept ? vscode.l10n.t('set') : '',
        name,
      }));
      const chosen = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Set API Key') });
      if (chosen !== undefined) await keys.ask(chosen.name);
    },
    async forgetApiKeys() {
      const names = Object.keys(await keys.all());
      const chosen = await vscode.window.showQuickPick(
        names.map(label => ({ label, picked: true })),
        { title: vscode.l10n.t('Forget API Keys'), canPickMany: true },
      );
      if (chosen !== undefined) await keys.forget(chosen.map(({ label }) => label));
    },
  };
}
