import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { keyVariablesIn, secretsOf } from '../../protocol/secretVariables.ts';

/** Secret values of the editor's environment, which its terminals have, too: the server hides them. */
export async function launchSecrets(env: NodeJS.ProcessEnv = process.env): Promise<string[]> {
  const home = env['CODEX_HOME'] || join(env['HOME'] || homedir(), '.codex');
  const config = await readFile(join(home, 'config.toml'), 'utf8').catch(() => '');
  return secretsOf(env, keyVariablesIn(config));
}
