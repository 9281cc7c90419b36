import * as vscode from 'vscode';
import { keyNames } from '../protocol/config.ts';
import { CoachError } from '../protocol/errors.ts';
import { keysContextKey } from './contributions.ts';
import { askText } from './messages.ts';

type KeyName = (typeof keyNames)[number];

/**
 * Keys of model APIs in the editor's secret storage. The server gets them with the request that needs them and keeps them
 * in memory; they are written to no file, setting or argument.
 */
export class ApiKeys {
  readonly #secrets: vscode.SecretStorage;

  constructor(secrets: vscode.SecretStorage) {
    this.#secrets = secrets;
  }

  /** By variable name, without those that were never given. */
  async all(): Promise<Record<string, string>> {
    const values = await Promise.all(
      keyNames.map(async name => [name, await this.#secrets.get(storedAs(name))] as const),
    );
    return Object.fromEntries(values.filter((entry): entry is [KeyName, string] => Boolean(entry[1])));
  }

  /** Asks for one key and keeps it. False when the person dismissed it. */
  async ask(name: KeyName): Promise<boolean> {
    const value = await askText({
      title: vscode.l10n.t('API Key: {0}', name),
      prompt: vscode.l10n.t('Kept in the editor’s secret storage. The agent never sees it: the proxy puts it in.'),
      password: true,
      ignoreFocusOut: true,
      validateInput: text => (text.trim() === '' ? vscode.l10n.t('A key can’t be empty.') : undefined),
    });
    if (value === undefined) return false;
    await this.#secrets.store(storedAs(name), value.trim());
    await this.showPresence();
    return true;
  }

  async forget(names: readonly string[]): Promise<void> {
    await Promise.all(names.map(name => this.#secrets.delete(storedAs(name))));
    await this.showPresence();
  }

  /** Sets the context key by which the command that forgets keys is offered. */
  async showPresence(): Promise<void> {
    const some = Object.keys(await this.all()).length > 0;
    await vscode.commands.executeCommand('setContext', keysContextKey, some);
  }

  /**
   * Does something that may need keys; a missing one is asked for, and then it is tried again.
   * @throws CoachError `cancelled` when the person gives none
   */
  async with<T>(work: (keys: Record<string, string>) => Promise<T>): Promise<T> {
    for (const asked = new Set<KeyName>(); ; ) {
      try {
        return await work(await this.all());
      } catch (error) {
        const missing = missingKey(error);
        if (missing === undefined || asked.has(missing)) throw error;
        if (!(await this.ask(missing))) throw new CoachError('cancelled', 'No key was given.', { cause: error });
        asked.add(missing);
      }
    }
  }
}

/** Which key a fault asks for. */
function missingKey(error: unknown): KeyName | undefined {
  if (!(error instanceof CoachError) || error.code !== 'agent.noKey') return undefined;
  const words = error.message.split(/[^A-Z_]+/);
  return keyNames.find(name => words.includes(name));
}

const storedAs = (name: string): string => `key.${name}`;
