import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { CoachError } from '../../protocol/errors.ts';
import { codexHome } from '../base/codexHome.ts';
import { modelKeys } from '../base/settings.ts';
import type { Terminal } from '../surfaces/cli/terminal.ts';

/** The user's own way to the model: a stored Codex login, else a key from the environment or `.env`. */
export interface LiveAccess {
  /** Keys for the trials' proxy. */
  readonly keys: Readonly<Record<string, string>>;
  /** Variables for the traced Codex. */
  readonly env: Readonly<Record<string, string>>;
  /** Trials run in sandboxes, where only a key can be swapped in by the proxy; a login can't. */
  readonly keyForTrials: boolean;
}

export function liveAccess(env: NodeJS.ProcessEnv, directory: string): LiveAccess {
  const keys = modelKeys(env, directory);
  const key = keys['OPENAI_API_KEY'];
  const login = join(codexHome(env), 'auth.json');
  if (key !== undefined) return { keys, env: { CODEX_API_KEY: key }, keyForTrials: true };
  if (existsSync(login)) return { keys, env: {}, keyForTrials: false };
  throw new CoachError('agent.noKey', 'No Codex login and no OPENAI_API_KEY.', {
    hint: 'Run `codex login`, or set OPENAI_API_KEY in the environment or in .env. Without a key: npm start',
  });
}

/** Asks once before money is spent. Without a terminal to ask on, `--yes` is needed. */
export async function confirmLive(terminal: Terminal, yes: boolean): Promise<void> {
  const access = liveAccess(terminal.env, terminal.cwd);
  const trials = access.keyForTrials ? '1 recorded session and 2 trials' : '1 recorded session (the trials replay it)';
  const question = `This sends ${trials} to a real model, paid with your own ${access.keyForTrials ? 'key' : 'Codex login'}. Go on? [y/N] `;
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new CoachError('input.invalid', question.replace(' Go on? [y/N] ', ''), {
      hint: 'Confirm it with: npm start -- --live --yes',
    });
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(question, { signal: terminal.signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw new CoachError('cancelled', 'Nothing was sent.');
  } finally {
    prompt.close();
  }
}
