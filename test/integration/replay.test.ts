import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testAgentProgram } from '../../scripts/agentPrograms.ts';
import { TraceStore } from '../../server/traces/store.ts';
import { messagesModel } from '../fakes/otherDialects.ts';
import { type FakeUpstreamOptions, startFakeUpstream } from '../fakes/upstream.ts';
import { testAuthority } from '../fakes/upstreamCertificate.ts';
import { codexDirectory, requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, type World } from '../world.ts';

interface ReplayWorld {
  readonly world: World;
  readonly directory: string;
  /** Ends the upstream: from then on no model can be reached. */
  goOffline(): Promise<void>;
}

async function aReplayWorld(hosts: readonly string[], options: FakeUpstreamOptions = {}): Promise<ReplayWorld> {
  const directory = join(temporaryDirectory(), 'work');
  mkdirSync(directory);
  const authority = testAuthority();
  const upstream = await startFakeUpstream({ tls: authority.issue('127.0.0.1'), ...options });
  let online = true;
  const goOffline = async () => {
    if (online) await upstream.dispose();
    online = false;
  };
  onTestFinished(async () => {
    await goOffline();
    authority.dispose();
  });
  const world = aWorld({
    HOME: temporaryDirectory(),
    COACH_UPSTREAMS: hosts.map(host => `${host}=${upstream.origin}`).join(','),
    SSL_CERT_FILE: authority.caFile,
  });
  return { world, directory, goOffline };
}

/** Replies of a session, each as the JSON texts of its events. */
function repliesOf(world: World, sessionId: string): string[][] {
  const store = new TraceStore(world.paths.tracesDb);
  try {
    return store
      .exchangesOfSession(sessionId)
      .filter(exchange => exchange.error === null)
      .map(({ id }) => store.wireText(id)?.events.map(({ text }) => /\{.*\}/.exec(text)?.[0] ?? '') ?? []);
  } finally {
    store.dispose();
  }
}

function newestSession(world: World): string {
  const store = new TraceStore(world.paths.tracesDb);
  try {
    return store.newest({ limit: 1 }).rows[0]?.id ?? '';
  } finally {
    store.dispose();
  }
}

const codexArgs = [
  ...['exec', '--json', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '-m', 'gpt-5.5'],
  ...['-c', 'otel.metrics_exporter="none"', '-c', 'analytics.enabled=false', '--disable', 'plugins'],
];

function codexEnvironment(): NodeJS.ProcessEnv {
  // Outside the temporary directory: there Codex refuses to make its own helpers.
  const home = mkdtempSync(join(homedir(), '.coach-test-codex-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  return { CODEX_HOME: home, CODEX_API_KEY: 'sk-of-the-replay-tests-0123456789' };
}

describe.skipIf(!requireFeature('codex'))('codex-coach replay, with the real Codex', { timeout: 120_000 }, () => {
  const program = join(codexDirectory() ?? '', 'bin', 'codex');
  const hosts = ['api.openai.com', 'chatgpt.com'];
  const prompt = 'SHELL echo one > made.txt; echo $GREETING\nADD more.txt by codex\nSAY All done.';

  it.each([
    ['SSE', {}],
    ['its WebSocket', { webSocket: true }],
  ] as const)('finishes the same task from its recording over %s, without a model or key', async (_, options) => {
    const { world, directory, goOffline } = await aReplayWorld(hosts, options);
    const recorded = await world.cli(['trace', '--', program, ...codexArgs, prompt], {
      cwd: directory,
      env: codexEnvironment(),
    });
    expect(recorded).toMatchObject({ code: 0 });
    const [, sessionId = ''] = /recorded as session (\S+):/.exec(recorded.stderr) ?? [];
    const made = ['made.txt', 'more.txt'].map(file => readFileSync(join(directory, file), 'utf8'));
    for (const file of ['made.txt', 'more.txt']) rmSync(join(directory, file));
    await goOffline();

    const { CODEX_HOME } = codexEnvironment();
    const again = await world.cli(['replay', sessionId, '--', program, ...codexArgs, prompt], {
      cwd: directory,
      env: { CODEX_HOME },
    });
    expect(again).toMatchObject({ code: 0, stderr: expect.not.stringContaining('left the recording') });
    expect(['made.txt', 'more.txt'].map(file => readFileSync(join(directory, file), 'utf8'))).toEqual(made);
    const replayed = repliesOf(world, newestSession(world));
    expect(newestSession(world)).not.toBe(sessionId);
    // A WebSocket's first message only warms it up; over plain HTTP there is none.
    expect(replayed).toEqual(repliesOf(world, sessionId).slice(-replayed.length));
    expect(replayed.length).toBeGreaterThanOrEqual(3);
  });

  it('ends with exit code 1 and shows the difference when the agent leaves the recording', async () => {
    const { world, directory, goOffline } = await aReplayWorld(hosts);
    const env = codexEnvironment();
    const recorded = await world.cli(['trace', '--', program, ...codexArgs, prompt], { cwd: directory, env });
    const [, sessionId = ''] = /recorded as session (\S+):/.exec(recorded.stderr) ?? [];
    await goOffline();
    const again = await world.cli(['replay', sessionId, '--', program, ...codexArgs, prompt], {
      cwd: directory,
      env: { ...codexEnvironment(), GREETING: 'hello' },
    });
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/left the recording\. Nearest is recorded request 2 of 3; item \d+ .* differs/);
    expect(again.stderr).toContain('hello');
  });

  it('says what is missing', async () => {
    const { world, directory } = await aReplayWorld(hosts);
    const missing = await world.cli(['replay', 'nowhere', '--', process.execPath, '-v'], { cwd: directory });
    expect(missing).toMatchObject({ code: expect.not.stringMatching('0'), stderr: expect.stringContaining('nowhere') });
    const pace = await world.cli(['replay', '--pace', 'soon', 'x', '--', 'true'], { cwd: directory });
    expect(pace.stderr).toContain('Give immediate, recorded or a factor');
  });
});

describe.skipIf(!requireFeature('claude'))(
  'codex-coach replay, with the real Claude Code',
  { timeout: 180_000 },
  () => {
    it('finishes the same task from its recording, and writes nothing into its directory from another', async () => {
      let file = '';
      const { world, directory, goOffline } = await aReplayWorld(['api.anthropic.com'], {
        intercept: (request, response) =>
          messagesModel({
            call: { tool: 'Write', input: { file_path: file, content: 'by claude\n' } },
            answer: 'Done.',
          })(request, response),
      });
      file = join(directory, 'made.txt');
      const program = testAgentProgram('claude') ?? '';
      const started = program.endsWith('.js') ? [process.execPath, program] : [program];
      const args = ['-p', 'Write made.txt', '--output-format', 'json', '--dangerously-skip-permissions'];
      const env = { ANTHROPIC_API_KEY: 'sk-ant-test-of-replays-0123456789', IS_SANDBOX: '1' };
      const recorded = await world.cli(['trace', '--agent', 'claude', '--', ...started, ...args], {
        cwd: directory,
        env,
      });
      expect(recorded).toMatchObject({ code: 0 });
      const [, sessionId = ''] = /recorded as session (\S+):/.exec(recorded.stderr) ?? [];
      rmSync(file);
      await goOffline();
      const again = await world.cli(['replay', sessionId, '--', ...started, ...args], { cwd: directory, env });
      expect(again).toMatchObject({ code: 0, stderr: expect.not.stringContaining('left the recording') });
      expect(existsSync(file) && readFileSync(file, 'utf8')).toBe('by claude\n');
      rmSync(file);
      const copy = join(temporaryDirectory(), 'copy');
      mkdirSync(copy);
      const elsewhere = await world.cli(['replay', sessionId, '--', ...started, ...args], { cwd: copy, env });
      expect([elsewhere.code, existsSync(file)]).toEqual([1, false]);
      expect(elsewhere.stderr).toContain(`recorded in ${directory}, which its answers name`);
    });
  },
);
