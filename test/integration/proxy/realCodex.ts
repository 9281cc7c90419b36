import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { codexDirectory } from '../../require.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { type ProgramOutcome, runProgram } from './recordingWorld.ts';

/** Arguments that keep a run of the real Codex to its model: no metrics, no plugins, no sandbox of its own. */
export const quietArgs = [
  ...['exec', '--json', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '-m', 'gpt-5.5'],
  ...[
    '-c',
    'otel.metrics_exporter="none"',
    '-c',
    'analytics.enabled=false',
    '--disable',
    'plugins',
    '--disable',
    'apps',
  ],
];

/** A CODEX_HOME, gone after the test. Outside the temporary directory: there Codex refuses to make its own helpers. */
export function aCodexHome(): string {
  const directory = mkdtempSync(join(homedir(), '.coach-test-codex-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

export function codexProgram(): string {
  return join(codexDirectory() ?? '', 'bin', 'codex');
}

/** One turn of the real Codex in an empty directory. */
export async function runRealCodex(
  prompt: string,
  env: Record<string, string | null | undefined>,
): Promise<ProgramOutcome & { readonly repository: string }> {
  const repository = temporaryDirectory();
  const home = aCodexHome();
  mkdirSync(home, { recursive: true });
  const outcome = await runProgram(codexProgram(), [...quietArgs, prompt], {
    cwd: repository,
    env: { PATH: process.env['PATH'], HOME: home, CODEX_HOME: home, ...env },
  });
  return { ...outcome, repository };
}
