import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyVariablesIn, secretsOf } from '../../protocol/secretVariables.ts';
import { codexHome } from './codexHome.ts';

/** Secret values of the editor's environment, which its terminals have, too: the server hides them. */
export async function launchSecrets(env: NodeJS.ProcessEnv = process.env): Promise<string[]> {
  const config = await readFile(join(codexHome(env), 'config.toml'), 'utf8').catch(() => '');
  return secretsOf(env, keyVariablesIn(config));
}
