import { homedir } from 'node:os';
import { join } from 'node:path';

/** Programs that tests and scripts need and npm scripts fetch once: the Codex CLI, code-server. COACH_TOOLS moves it. */
export function toolsDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return (
    env['COACH_TOOLS'] || join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'codex-coach-tools')
  );
}
