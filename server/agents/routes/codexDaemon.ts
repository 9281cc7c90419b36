import { exec } from '../../base/exec.ts';

/**
 * Interactive Codex 0.169 leaves its requests to a background server that all its terminals share. That has the
 * environment of whoever started it: what is asked through it is recorded as another's, or not at all.
 */
const withoutDaemon = '--no-daemon';
const helpMs = 10_000;

/**
 * The option under which Codex asks its model itself; null where it needs none, or does not know it.
 * @param program the words that start Codex
 * @param args its arguments: `exec` has no background server
 */
export async function daemonOption(
  program: readonly [string, ...string[]],
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string | null> {
  const words = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length);
  if (words.some(word => ['exec', 'e', withoutDaemon].includes(word))) return null;
  try {
    const help = await exec({ argv: [...program, '--help'], env }, AbortSignal.timeout(helpMs));
    return help.stdout.includes(withoutDaemon) ? withoutDaemon : null;
  } catch {
    // Who starts it hears why it doesn't.
    return null;
  }
}
