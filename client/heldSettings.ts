import { createHash } from 'node:crypto';
import * as vscode from 'vscode';
import { methodOf, remote } from '../protocol/api.ts';
import { CoachError } from '../protocol/errors.ts';
import { otherLasting, otherPort, otherShared } from '../protocol/heldSettings.ts';
import { proxy } from '../protocol/proxy.ts';
import { runs } from '../protocol/runs.ts';
import { commandId } from './contributions.ts';
import { showWarning } from './messages.ts';
import type { Connection } from './serverClient.ts';
import { knownAs, settingsEnvironment } from './settings.ts';
import { buttonTitleOf } from './titles.ts';

/** What starts agents that a budget holds for and that are led somewhere. */
const startsAgents = new Set([
  methodOf(proxy.name, 'launch'),
  methodOf(runs.name, 'start'),
  methodOf(runs.name, 'resume'),
]);

/**
 * The running server keeps the settings that it was started with, by whichever window or command. This compares this
 * window's with them: what differs is told, and no agent is started without a budget that the person has set.
 */
export class HeldSettings {
  /** What is being shown, so that nobody is told twice. */
  #shown: string | undefined;

  /** @throws CoachError `input.invalid` for a request that starts agents while settings of the window do not hold */
  async check(method: string, connection: Connection): Promise<void> {
    if (!startsAgents.has(method)) return;
    const difference = await sharedDifference(connection, windowEnvironment());
    // The hint has its button by what it names.
    if (difference !== null) throw new CoachError('input.invalid', difference.words, { hint: difference.hint });
  }

  /** Warns of settings that do not hold. @param reset the defaults of settings that were just taken back */
  async warn(connection: Connection, reset: Readonly<Record<string, string>> = {}): Promise<void> {
    const env = { ...reset, ...windowEnvironment() };
    const words = (await sharedDifference(connection, env))?.words ?? lastingDifference(connection, env);
    if (words === null || words === this.#shown) return;
    this.#shown = words;
    const restart = buttonTitleOf('restartServer');
    const chosen = await showWarning(words, restart);
    this.#shown = undefined;
    if (chosen === restart) await vscode.commands.executeCommand(commandId('restartServer'));
  }
}

/** What a server is started with from this window. */
export function windowEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, ...settingsEnvironment() };
}

async function sharedDifference(
  { channel, info }: Connection,
  env: NodeJS.ProcessEnv,
): Promise<{ words: string; hint: string } | null> {
  const variables = otherShared(env, info.settings, sha256Hex);
  if (variables.length > 0) {
    return {
      words: notStartedWith(variables),
      hint: vscode.l10n.t('To start it anew with these settings: codex-coach server stop'),
    };
  }
  if (!env['PROXY_PORT']) return null;
  const { port } = await remote(proxy, channel).status({});
  const wanted = otherPort(env, port);
  if (wanted === null) return null;
  return {
    words: vscode.l10n.t(
      'The recording proxy listens on port {0}, where earlier agents may still be, not on port {1}.',
      String(port),
      String(wanted),
    ),
    hint: vscode.l10n.t('End those agents (close their terminals), then: codex-coach server stop'),
  };
}

function lastingDifference({ info }: Connection, env: NodeJS.ProcessEnv): string | null {
  const variables = otherLasting(env, info.settings, sha256Hex);
  return variables.length === 0 ? null : notStartedWith(variables);
}

function notStartedWith(variables: readonly string[]): string {
  const names = variables.map(knownAs).join(', ');
  return vscode.l10n.t('The background server was not started with this {0}, which has no effect.', names);
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
