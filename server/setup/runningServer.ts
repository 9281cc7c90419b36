import { existsSync } from 'node:fs';
import type { CoachPaths } from '../base/paths.ts';
import { connectToServer, type ServerConnection } from '../connect.ts';

/** The server of this COACH_HOME if one runs. Starts none and makes no directory. */
export async function runningServer(paths: CoachPaths, env: NodeJS.ProcessEnv): Promise<ServerConnection | null> {
  if (!existsSync(paths.tokenFile)) return null;
  return connectToServer({ paths, client: 'cli', program: null, env }).catch(() => null);
}
