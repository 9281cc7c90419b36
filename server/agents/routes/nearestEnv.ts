import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { CoachError } from '../../../protocol/errors.ts';
import { baseUrlVariables } from '../../../protocol/proxy.ts';
import { textOfFile } from '../../base/files.ts';
import type { BaseUrls } from './ownRoute.ts';

/** A `.env` file from which an agent takes the variables that its environment lacks. */
export interface NearestEnv {
  /** Empty where there is none. */
  readonly file: string;
  /** Whether it is the user's own, not that of a project, which may be anybody's. */
  readonly isOfHome: boolean;
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * The one `.env` file that Gemini CLI and Qwen Code read: the nearest of the working directory and those above it, where
 * that in `own` (such as `.gemini`) comes first, else the home's.
 */
export function nearestEnv(own: string, cwd: string, home: string): NearestEnv {
  const filesIn = (directory: string) => [join(directory, own, '.env'), join(directory, '.env')];
  const file = [...upFrom(resolve(cwd)), home].flatMap(filesIn).find(name => existsSync(name));
  if (file === undefined) return { file: '', isOfHome: true, variables: {} };
  const variables = parseEnv(textOfFile(file) ?? '') as Record<string, string>;
  return { file, isOfHome: filesIn(home).includes(file), variables };
}

/** Base URLs that come in where the environment has no such variable, not even an empty one. */
export function baseUrlsIn({ variables }: Pick<NearestEnv, 'variables'>, env: NodeJS.ProcessEnv): BaseUrls {
  return Object.fromEntries(
    baseUrlVariables.flatMap(name => (variables[name] && env[name] === undefined ? [[name, variables[name]]] : [])),
  );
}

/** Where a file names a base URL, an empty variable of the environment goes on to be there: it says to use none. */
export function keptEmpty({ variables }: Pick<NearestEnv, 'variables'>, env: NodeJS.ProcessEnv): BaseUrls {
  return Object.fromEntries(
    baseUrlVariables.flatMap(name => (variables[name] && env[name] === '' ? [[name, '']] : [])),
  );
}

/** A file that anybody may have written must not decide where the user's key goes; the agent would ask first. */
export function untold(agent: string, file: string, variable: string): CoachError {
  return new CoachError('input.invalid', `${file} leads ${agent} elsewhere by ${variable}, if it trusts the project.`, {
    hint: `To go there, and be recorded: ${variable}=<the URL> codex-coach …; not to go there: ${variable}= codex-coach …`,
  });
}

function upFrom(directory: string): string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [directory, ...upFrom(parent)];
}
