import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import { showWarning } from '../messages.ts';
import { setting } from '../settings.ts';
import { codexHome } from './codexHome.ts';
import { sharesCodex } from './commandLine.ts';

/** Codex makes the directory of its background server when it first uses one. */
const settledMs = 3000;
/** Starts interactive Codex without it. */
export const ownCommand = 'codex --no-daemon';

/**
 * Says so when Codex is started in a recorded terminal in the way in which its requests go through the background server
 * that all its terminals share: they are recorded as that was started, or not at all.
 */
export function warnOfSharedCodex(): vscode.Disposable {
  let isTold = false;
  return vscode.window.onDidStartTerminalShellExecution(({ terminal, execution }) => {
    if (isTold || !isRecorded(terminal) || !sharesCodex(execution.commandLine.value)) return;
    isTold = true;
    void tell().then(told => {
      isTold = told;
    });
  });
}

/** False when this Codex has no such server. */
async function tell(): Promise<boolean> {
  await delay(settledMs);
  const isShared = await access(join(codexHome(process.env), 'app-server-control')).then(
    () => true,
    () => false,
  );
  if (!isShared) return false;
  const copy = vscode.l10n.t('Copy Command');
  const chosen = await showWarning(
    vscode.l10n.t(
      'Codex asks its model through a background server that all its terminals share, and may not be recorded. To record it, start it with: {0}',
      ownCommand,
    ),
    copy,
  );
  if (chosen === copy) await vscode.env.clipboard.writeText(ownCommand);
  return true;
}

function isRecorded({ creationOptions }: vscode.Terminal): boolean {
  const env = 'env' in creationOptions ? creationOptions.env : undefined;
  return env?.['CODEX_CA_CERTIFICATE'] !== undefined || setting('terminal.record');
}
