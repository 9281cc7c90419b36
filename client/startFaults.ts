import * as vscode from 'vscode';
import { CoachError } from '../protocol/errors.ts';
import { showError } from './messages.ts';
import { ServerLost } from './serverClient.ts';
import { withSettingNames } from './settings.ts';

/** Why the server could not be started, in the editor's words. Settings that keep it from starting are told once. */
export class StartFaults {
  #last: CoachError | undefined;
  #settings: readonly string[] = [];
  #shown: string | undefined;

  /** Said to whoever asks something of the server until it is started. */
  get last(): CoachError | undefined {
    return this.#last;
  }

  /** Whether a change of settings may mend it. */
  get isOfSettings(): boolean {
    return this.#settings.length > 0;
  }

  get isShown(): boolean {
    return this.#last !== undefined && this.#last.message === this.#shown;
  }

  /** The fault in the editor's words. @param isCurrent whether it is this window's connection that has it */
  tell(fault: CoachError, isCurrent: boolean): CoachError {
    const { text, named } = withSettingNames(fault.message);
    const told = named.length === 0 ? fault : CoachError.fromShape({ ...fault.toShape(), message: text });
    if (!isCurrent) return told;
    // One that went away again and again says nothing of why.
    this.#last = fault instanceof ServerLost ? undefined : told;
    this.#settings = named;
    if (named[0] !== undefined) void this.#show(text, named[0]);
    return told;
  }

  forget(): void {
    this.#last = undefined;
    this.#settings = [];
  }

  async #show(text: string, setting: string): Promise<void> {
    if (this.#shown === text) return;
    this.#shown = text;
    const open = vscode.l10n.t('Open Settings');
    const chosen = await showError(text, open);
    this.#shown = undefined;
    if (chosen === open) await vscode.commands.executeCommand('workbench.action.openSettings', setting);
  }
}
