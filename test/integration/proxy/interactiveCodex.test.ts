import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TraceStore } from '../../../server/traces/store.ts';
import { say } from '../../fakes/upstreamModel.ts';
import { requireFeature } from '../../require.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { cliProgram } from '../../world.ts';
import { aCodexWorld, type CodexWorld, storedExchanges } from '../faults/tracedCodex.ts';
import { aCodexHome, codexProgram } from './realCodex.ts';

const patience = { timeout: 30_000, interval: 100 };
/** What Codex asks its terminal, and what one answers: where the cursor is, what it can do, whether it knows more keys. */
const answers: readonly (readonly [string, string])[] = [
  ['\x1b[6n', '\x1b[1;1R'],
  ['\x1b[c', '\x1b[?62c'],
  ['\x1b[?u', '\x1b[?0u'],
];

/** A terminal in which somebody has started interactive Codex with `codex-coach`. */
function aTerminal({ home }: CodexWorld, codexHome: string, directory: string, prompt: string): ChildProcess {
  const line = `stty cols 120 rows 40; exec '${process.execPath}' '${cliProgram}' '${prompt}'`;
  const terminal = spawn('script', ['-qefc', line, '/dev/null'], {
    cwd: directory,
    env: { ...home.env, CODEX_HOME: codexHome, TERM: 'xterm-256color' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => void terminal.kill('SIGKILL'));
  terminal.stdout?.setEncoding('latin1').on('data', (text: string) => {
    for (const [query, answer] of answers) if (text.includes(query)) terminal.stdin?.write(answer);
  });
  return terminal;
}

/** Codex asks by itself how to call each of them. */
function titlesOfPeople({ home }: CodexWorld): string[] {
  const store = new TraceStore(home.paths.tracesDb);
  const sessions = store.personalSessionsSince(0);
  store.dispose();
  return sessions.map(({ title }) => title);
}

function daemonSocket(codexHome: string): string {
  return join(codexHome, 'app-server-control', 'app-server-control.sock');
}

/** A CODEX_HOME with a login in which this directory is trusted. */
function aLoggedInHome(directory: string): string {
  const codexHome = aCodexHome();
  const config = [
    'model = "gpt-6.1-sol"\ncheck_for_update_on_startup = false\napproval_policy = "never"\nsandbox_mode = "danger-full-access"',
    '[analytics]\nenabled = false\n[features]\nplugins = false\napps = false',
    `[projects."${directory}"]\ntrust_level = "trusted"\n`,
  ];
  writeFileSync(join(codexHome, 'config.toml'), config.join('\n'));
  onTestFinished(() => {
    if (!existsSync(daemonSocket(codexHome))) return;
    execFileSync(codexProgram(), ['app-server', 'daemon', 'stop'], { env: { ...process.env, CODEX_HOME: codexHome } });
  });
  const login = { auth_mode: 'apikey', OPENAI_API_KEY: 'sk-canary-0123456789abcdef' };
  writeFileSync(join(codexHome, 'auth.json'), JSON.stringify(login), { mode: 0o600 });
  return codexHome;
}

describe.skipIf(!requireFeature('codex') || process.platform !== 'linux')('the real Codex in a terminal', () => {
  it('is recorded each time that it is started, and leaves no server behind that outlives its recording', async () => {
    const world = await aCodexWorld({ model: () => [say('Hello.')] });
    const directory = temporaryDirectory();
    const codexHome = aLoggedInHome(directory);
    for (const prompt of ['First of two', 'Second of two']) {
      const terminal = aTerminal(world, codexHome, directory, prompt);
      const ended = once(terminal, 'close');
      const asked = () => world.calls().filter(({ body }) => JSON.stringify(body).includes(prompt)).length;
      await expect.poll(asked, patience).toBeGreaterThan(0);
      // Twice: once to stop, once to leave.
      const leaving = setInterval(() => terminal.stdin?.write('\x03'), 500);
      await ended.finally(() => clearInterval(leaving));
    }
    await expect.poll(() => storedExchanges(world).length, patience).toBe(world.calls().length);
    expect(titlesOfPeople(world)).toEqual(['First of two', 'Second of two']);
    expect(existsSync(daemonSocket(codexHome))).toBe(false);
  }, 120_000);
});
