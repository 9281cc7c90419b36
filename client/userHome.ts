import { homedir, userInfo } from 'node:os';

/** The user's own directory. An environment whose HOME is empty names none: the system knows it. */
export function userHome(env: NodeJS.ProcessEnv): string {
  return env['HOME'] || homedir() || userInfo().homedir;
}
