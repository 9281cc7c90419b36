import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { RecordedAgent } from '../../agents/recorded.ts';
import { givenKeys } from '../../base/settings.ts';
import { userHome } from '../../base/userHome.ts';

/** A key that an agent is given at its launch. */
export interface LaunchKey {
  /** What the user calls it. */
  readonly name: string;
  readonly variable: string;
  readonly value: string;
}

/**
 * Keys of the environment or of the `.env` at the repository's root, as variables that this agent reads and lacks. None
 * where the agent has a login of its own: a key in its environment would move a subscription to metered billing.
 */
export function launchKeys(agent: RecordedAgent, env: NodeJS.ProcessEnv, directory: string): LaunchKey[] {
  if (hasLogin(agent, env)) return [];
  const keys = givenKeys(env, repositoryRoot(directory));
  const found = new Map<string, LaunchKey>();
  for (const [name, variable] of Object.entries(agent.keys)) {
    const value = keys[name];
    if (value !== undefined && !env[variable]) found.set(variable, { name, variable, value });
  }
  return [...found.values()];
}

/** Whether the agent has a stored login. Only the presence is looked at. */
export function hasLogin(agent: RecordedAgent, env: NodeJS.ProcessEnv): boolean {
  return agent.logins.some(({ file, field, directoryVariable }) => {
    const moved = directoryVariable === undefined ? undefined : env[directoryVariable];
    const path = moved ? join(moved, basename(file)) : join(userHome(env), file);
    return field === undefined ? existsSync(path) : hasField(path, field);
  });
}

/** The nearest directory upwards with a `.git`, else the directory itself. Runs no git: nothing here need be trusted. */
export function repositoryRoot(directory: string): string {
  for (let at = resolve(directory); ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return resolve(directory);
  }
}

function hasField(file: string, field: string): boolean {
  try {
    return field in (JSON.parse(readFileSync(file, 'utf8')) as object);
  } catch {
    return false;
  }
}
