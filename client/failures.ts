import * as vscode from 'vscode';
import { CoachError } from '../protocol/errors.ts';
import type { RunEvent, TrialSummary } from '../protocol/runs.ts';
import { type CommandName, commandId, viewId } from './contributions.ts';
import { type Counterpart, hintInEditor } from './hints.ts';
import { showError } from './messages.ts';
import { buttonTitleOf, viewTitleOf } from './titles.ts';

/** A command that mends a fault: one of ours, or the editor's own that opens a folder. */
type Remedy = CommandName | typeof openFolder;
const openFolder = 'vscode.openFolder';

/** Offered as buttons beside the message of a fault. */
const remedies: Partial<Record<CoachError['code'], readonly Remedy[]>> = {
  'folder.missing': [openFolder, 'openSample'],
  'server.unreachable': ['restartServer', 'openServerLog'],
  internal: ['openServerLog'],
  'agent.missing': ['installAgent'],
  'agent.noKey': ['setApiKey'],
  'git.notARepository': ['initRepository'],
  'git.noCommit': ['firstCommit'],
  'recording.missing': ['startRecording'],
  'recording.active': ['endRecording'],
};

/**
 * Shows a fault with its hint and what can be done about it. A cancellation is not a fault.
 * @param target the row that the command was started from; what is done about it starts from there too
 */
export async function showFailure(error: unknown, log: vscode.LogOutputChannel, target?: unknown): Promise<void> {
  const fault = CoachError.from(error);
  if (fault.code === 'cancelled') return;
  log.error(`${fault.code}: ${fault.message}`);
  const hint = fault.hint === null ? null : hintInEditor(fault.hint, counterpartTitle);
  const offered = new Map([
    ...(remedies[fault.code] ?? []).map(buttonOf),
    ...(hint?.counterparts ?? []).flatMap(one => {
      const command = commandOf(one);
      return command === null ? [] : [[counterpartTitle(one), command] as const];
    }),
  ]);
  const chosen = await showError(words([fault.message, hint?.text]), ...offered.keys());
  const command = chosen === undefined ? undefined : offered.get(chosen);
  if (command === openFolder) await vscode.commands.executeCommand(command);
  else if (command !== undefined) await vscode.commands.executeCommand(command, target);
}

function buttonOf(remedy: Remedy): readonly [title: string, command: string] {
  return remedy === openFolder
    ? [vscode.l10n.t('Open Folder'), openFolder]
    : [buttonTitleOf(remedy), commandId(remedy)];
}

function commandOf(counterpart: Counterpart): string | null {
  if ('command' in counterpart) return commandId(counterpart.command);
  return 'view' in counterpart ? `${viewId(counterpart.view)}.focus` : null;
}

/** What is wrong and what can be done about it, as text in a view. */
export function faultWords({ message, hint }: CoachError): string {
  return words([message, hint === null ? null : hintWords(hint)]);
}

/** A hint of the server with the editor's commands in place of the terminal's. */
export function hintWords(hint: string): string {
  return hintInEditor(hint, counterpartTitle).text;
}

/** The same fault for a page, which can't know the editor's commands. */
export function faultInEditor(error: unknown): unknown {
  if (!(error instanceof CoachError) || error.hint === null) return error;
  return new CoachError(error.code, error.message, { cause: error, hint: hintWords(error.hint) });
}

/** The same trial for a page: what it says to do can be done there. */
export function trialInEditor(trial: TrialSummary): TrialSummary {
  const hint = trial.error?.hint ?? null;
  return trial.error === null || hint === null ? trial : { ...trial, error: { ...trial.error, hint: hintWords(hint) } };
}

/** The same line of a journal; what an agent said stays as it is. */
export function eventInEditor(event: RunEvent): RunEvent {
  return event.kind === 'log' ? { ...event, text: hintWords(event.text) } : event;
}

function counterpartTitle(counterpart: Counterpart): string {
  if ('command' in counterpart) return buttonTitleOf(counterpart.command);
  if ('view' in counterpart) return viewTitleOf(counterpart.view);
  return counterpart.button === 'regrade' ? vscode.l10n.t('Regrade…') : vscode.l10n.t('Retry…');
}

function words(parts: readonly (string | null | undefined)[]): string {
  return parts.filter(Boolean).join(' ');
}
