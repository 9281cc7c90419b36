import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where Codex keeps its configuration in this environment. */
export function codexHome(env: NodeJS.ProcessEnv): string {
  return env['CODEX_HOME'] || join(env['HOME'] || homedir(), '.codex');
}
