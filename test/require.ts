import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type TestAgent, testAgentProgram } from '../scripts/agentPrograms.ts';
import { findCodeServer, missingBuildTools } from '../scripts/codeServer.ts';
import { toolsDirectory } from '../scripts/tools.ts';

/** Where the editor tests keep code-server between runs. */
export const codeServerDirectory = join(toolsDirectory(), 'code-server');

type Feature = 'docker' | 'browser' | 'editor' | 'codex' | 'sandbox' | 'toolchains' | 'slow' | TestAgent;

const probes: Record<Feature, () => string | null> = {
  docker: () => (answers('docker', ['version', '--format', '{{.Server.Version}}']) ? null : 'no Docker engine answers'),
  browser: () => (findChromium() ? null : 'no Chromium or Chrome on this machine'),
  editor: () => {
    const missing = findCodeServer(codeServerDirectory) === null ? missingBuildTools() : [];
    return missing.length === 0 ? null : `code-server can't be compiled without ${missing.join(', ')}`;
  },
  codex: () =>
    codexDirectory() ? null : 'the Codex CLI is not in the agent cache (COACH_TEST_CODEX names its directory)',
  claude: () => missingAgent('claude'),
  gemini: () => missingAgent('gemini'),
  opencode: () => missingAgent('opencode'),
  qwen: () => missingAgent('qwen'),
  sandbox: () => (answers('bwrap', ['--ro-bind', '/', '/', 'true']) ? null : 'bubblewrap cannot run here'),
  toolchains: () => {
    const programs = ['go', 'cargo', 'pytest-3'].filter(program => !existsSync(join('/usr/bin', program)));
    return programs.length === 0 ? null : `${programs.join(', ')} not in /usr/bin`;
  },
  slow: () => (process.env['COACH_TEST_SLOW'] ? null : 'what takes many minutes runs with COACH_TEST_SLOW=1'),
};

/**
 * Whether this machine can run a suite. When it can't, the reason is printed for the totals, or is a failure when
 * COACH_REQUIRE (comma-separated features) names it. Use as `describe.skipIf(!requireFeature('docker'))`.
 */
export function requireFeature(feature: Feature): boolean {
  const missing = probes[feature]();
  if (missing === null) return true;
  if ((process.env['COACH_REQUIRE'] ?? '').split(',').includes(feature)) {
    throw new Error(`COACH_REQUIRE names ${feature}, but ${missing}.`);
  }
  noteSkip(feature, missing);
  return false;
}

/** Puts a reason for something skipped beside the totals. */
export function noteSkip(what: string, reason: string): void {
  const skipFile = process.env['COACH_SKIP_FILE'];
  if (skipFile) appendFileSync(skipFile, `${what}: ${reason}\n`);
  console.log(`SKIPPED ${what}: ${reason}`);
}

export function findChromium(): string | null {
  const candidates = [
    process.env['COACH_TEST_BROWSER'],
    // Without a window's own interface, which nobody sees here and which takes time.
    '/usr/bin/chromium-headless-shell',
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  return candidates.find(path => path !== undefined && existsSync(path)) ?? null;
}

/** The vendor directory of the real Codex CLI (with `bin/codex`), from the environment or the user's agent cache. */
export function codexDirectory(): string | null {
  const given = process.env['COACH_TEST_CODEX'];
  if (given) return existsSync(join(given, 'bin', 'codex')) ? given : null;
  const cache = join(process.env['COACH_HOME'] || join(homedir(), '.codex-coach'), 'cache', 'agents', 'codex');
  if (!existsSync(cache)) return null;
  for (const version of readdirSync(cache)) {
    const directory = join(cache, version, 'program');
    if (existsSync(join(directory, 'bin', 'codex'))) return directory;
  }
  return null;
}

function missingAgent(id: TestAgent): string | null {
  return testAgentProgram(id) === null ? `${id} is not in the tools directory; npm test installs it` : null;
}

function answers(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
