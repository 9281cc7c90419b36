import { join } from 'node:path';
import { userHome } from '../userHome.ts';

/** Where Codex keeps its configuration in this environment. */
export function codexHome(env: NodeJS.ProcessEnv): string {
  return env['CODEX_HOME'] || join(userHome(env), '.codex');
}
