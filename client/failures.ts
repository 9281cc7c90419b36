import * as vscode from 'vscode';
import { CoachError } from '../protocol/errors.ts';
import { type CommandName, commandId } from './contributions.ts';
import { titleOf } from './titles.ts';

/** Commands that mend a fault, offered as buttons beside its message. */
const remedies: Partial<Record<CoachError['code'], readonly CommandName[]>> = {
  'server.unreachable': ['restartServer', 'openServerLog'],
  internal: ['openServerLog'],
  'agent.missing': ['installAgent'],
  'agent.noKey': ['setApiKey'],
  'recording.missing': ['startRecording'],
  'recording.active': ['endRecording'],
};

/** Shows a fault with its hint and what can be done about it. A cancellation is not a fault. */
export async function showFailure(error: unknown, log: vscode.LogOutputChannel): Promise<void> {
  const fault = CoachError.from(error);
  if (fault.code === 'cancelled') return;
  log.error(`${fault.code}: ${fault.message}`);
  const offered = (remedies[fault.code] ?? []).map(name => ({ title: plain(titleOf(name)), name }));
  const text = fault.hint === null ? fault.message : `${fault.message} ${fault.hint}`;
  const chosen = await vscode.window.showErrorMessage(text, ...offered);
  if (chosen !== undefined) await vscode.commands.executeCommand(commandId(chosen.name));
}

function plain(title: string): string {
  return title.replace(/…$/, '');
}
