import { shellWord } from '../../base/shell.ts';

/** With `${NAME:-default}` as its default: a sandbox has no other variables. */
export function resolved(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')]),
  );
}

/** Runs solution/solve.sh with these variables. */
export function solveCommand(env: Readonly<Record<string, string>>): string {
  const set = Object.entries(env).map(([name, value]) => `${name}=${shellWord(value)} `);
  return `${set.join('')}bash /solution/solve.sh`;
}
