import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type TestAgent, testAgentProgram } from '../../scripts/agentPrograms.ts';
import { wholeSession } from '../../server/traces/sessions/sessionReader.ts';
import { reportOf } from '../../server/traces/sessions/sessionReport.ts';
import { TraceStore } from '../../server/traces/store.ts';
import { chatModel, geminiModel, messagesModel, replyTokens, type ScriptedCall } from '../fakes/otherDialects.ts';
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts';
import { testAuthority } from '../fakes/upstreamCertificate.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, type CliOutcome, type World } from '../world.ts';

const models = { messages: messagesModel, chat: chatModel, gemini: geminiModel };

/** A world whose model host is a fake one behind real TLS, and a repository-like directory to work in. */
async function anAgentWorld(host: string, dialect: keyof typeof models, call: (directory: string) => ScriptedCall) {
  const directory = join(temporaryDirectory(), 'work');
  mkdirSync(directory);
  const authority = testAuthority();
  const upstream = await startFakeUpstream({
    tls: authority.issue('127.0.0.1'),
    intercept: models[dialect]({ call: call(directory), answer: 'All done.' }),
  });
  onTestFinished(async () => {
    await upstream.dispose();
    authority.dispose();
  });
  const world = aWorld({
    HOME: temporaryDirectory(),
    COACH_UPSTREAMS: `${host}=${upstream.origin}`,
    SSL_CERT_FILE: authority.caFile,
    // Left behind by something else, and dead.
    HTTPS_PROXY: 'http://127.0.0.1:9',
    https_proxy: 'http://127.0.0.1:9',
  });
  return { world, upstream, directory };
}

/** Runs an agent through `codex-coach trace` and answers what was recorded of it: one session, and nothing beside it. */
async function trace(world: World, directory: string, agent: TestAgent, args: string[], env: NodeJS.ProcessEnv) {
  const program = testAgentProgram(agent) ?? '';
  // The program's name tells the agent; a script's need not.
  const started = program.endsWith('.js') ? ['--agent', agent, '--', process.execPath, program] : ['--', program];
  const outcome = await world.cli(['trace', ...started, ...args], { cwd: directory, env });
  expect(outcome).toMatchObject({ code: 0 });
  const [, sessionId = ''] = /recorded as session (\S+):/.exec(outcome.stderr) ?? [];
  const store = new TraceStore(world.paths.tracesDb);
  try {
    expect(store.newest({ limit: 10 }).rows.map(({ id }) => id)).toEqual([sessionId]);
    const requests = store.exchangesOfSession(sessionId).map(({ id }) => store.wireText(id)?.request);
    const { turns } = reportOf(wholeSession(store, sessionId));
    return { outcome, sessionId, session: store.session(sessionId), turns, requests };
  } finally {
    store.dispose();
  }
}

/** Bodies of what the upstream logged at its model's address, to the byte. */
function modelRequests(upstream: FakeUpstream): string[] {
  return upstream.requests
    .filter(
      ({ method, url }) => method === 'POST' && /\/(messages|chat\/completions)(\?|$)|:streamGenerateContent/.test(url),
    )
    .map(({ raw }) => raw.toString());
}

function jsonOf(outcome: CliOutcome): Record<string, unknown>[] {
  return JSON.parse(outcome.stdout) as Record<string, unknown>[];
}

describe.skipIf(!requireFeature('claude'))('the real Claude Code', { timeout: 180_000 }, () => {
  it('is recorded whole under its own session id, with the tokens that it reports itself', async () => {
    const { world, upstream, directory } = await anAgentWorld('api.anthropic.com', 'messages', at => ({
      tool: 'Write',
      input: { file_path: join(at, 'made.txt'), content: 'by claude\n' },
    }));
    const args = ['-p', 'Write made.txt', '--output-format', 'json', '--dangerously-skip-permissions'];
    const { outcome, sessionId, session, turns, requests } = await trace(world, directory, 'claude', args, {
      ANTHROPIC_API_KEY: 'sk-ant-test-of-agents-0123456789',
      // It refuses to skip permissions as root unless told that it is in a sandbox.
      IS_SANDBOX: '1',
    });
    expect(readFileSync(join(directory, 'made.txt'), 'utf8')).toBe('by claude\n');
    expect(requests).toEqual(modelRequests(upstream));
    const result = JSON.parse(outcome.stdout) as { session_id: string; modelUsage: Record<string, ClaudeTokens> };
    expect(sessionId).toBe(result.session_id);
    expect(session).toMatchObject({ agent: 'claude', title: 'Write made.txt', exchanges: requests.length });
    expect([session?.repository, turns]).toEqual([directory, 1]);
    // The model that it asks for a title is another one.
    const used = Object.values(result.modelUsage);
    const sum = (...names: (keyof ClaudeTokens)[]) =>
      used.flatMap(tokens => names.map(name => tokens[name])).reduce((total, count) => total + count, 0);
    expect(session?.usage).toMatchObject({
      // Anthropic's count leaves cached tokens out.
      inputTokens: sum('inputTokens', 'cacheReadInputTokens'),
      cachedInputTokens: sum('cacheReadInputTokens'),
      outputTokens: sum('outputTokens'),
    });
  });
});

interface ClaudeTokens {
  readonly inputTokens: number;
  readonly cacheReadInputTokens: number;
  readonly outputTokens: number;
}

describe.skipIf(!requireFeature('qwen'))('the real Qwen Code', { timeout: 180_000 }, () => {
  it('is recorded whole, with the tokens that it reports itself', async () => {
    const { world, upstream, directory } = await anAgentWorld('dashscope.aliyuncs.com', 'chat', at => ({
      tool: 'write_file',
      input: { file_path: join(at, 'made.txt'), content: 'by qwen\n' },
    }));
    const { outcome, session, turns, requests } = await trace(
      world,
      directory,
      'qwen',
      ['Write made.txt', '--auth-type', 'openai', '-o', 'json', '-y'],
      { OPENAI_API_KEY: 'sk-test-of-agents-0123456789', OPENAI_MODEL: 'qwen3-coder-plus' },
    );
    expect(readFileSync(join(directory, 'made.txt'), 'utf8')).toBe('by qwen\n');
    expect(requests).toEqual(modelRequests(upstream));
    const { usage } = jsonOf(outcome).at(-1) as { usage: Record<string, number> };
    expect(session).toMatchObject({ agent: 'qwen', title: 'Write made.txt', exchanges: requests.length });
    expect([session?.repository, turns]).toEqual([directory, 1]);
    expect(session?.usage).toMatchObject({
      inputTokens: usage['input_tokens'],
      cachedInputTokens: usage['cache_read_input_tokens'],
      outputTokens: usage['output_tokens'],
    });
  });
});

describe.skipIf(!requireFeature('gemini'))('the real Gemini CLI', { timeout: 180_000 }, () => {
  it('is recorded whole, with the tokens that it reports itself', async () => {
    const { world, upstream, directory } = await anAgentWorld('generativelanguage.googleapis.com', 'gemini', at => ({
      tool: 'write_file',
      input: { file_path: join(at, 'made.txt'), content: 'by gemini\n' },
    }));
    const args = ['-p', 'Write made.txt', '-m', 'gemini-2.5-pro', '-o', 'json', '--yolo', '--skip-trust'];
    const { outcome, session, turns, requests } = await trace(world, directory, 'gemini', args, {
      GEMINI_API_KEY: 'AIzaSyTestOfAgents0123456789',
    });
    expect(readFileSync(join(directory, 'made.txt'), 'utf8')).toBe('by gemini\n');
    expect(requests).toEqual(modelRequests(upstream));
    const { stats } = JSON.parse(outcome.stdout) as { stats: { models: Record<string, { tokens: GeminiTokens }> } };
    const [{ tokens }] = Object.values(stats.models) as [{ tokens: GeminiTokens }];
    expect(session).toMatchObject({ agent: 'gemini', title: 'Write made.txt', exchanges: requests.length });
    expect([session?.repository, turns]).toEqual([directory, 1]);
    expect(session?.usage).toMatchObject({
      inputTokens: tokens.prompt,
      cachedInputTokens: tokens.cached,
      outputTokens: tokens.candidates,
    });
  });
});

interface GeminiTokens {
  readonly prompt: number;
  readonly candidates: number;
  readonly cached: number;
}

describe.skipIf(!requireFeature('opencode'))('the real opencode', { timeout: 180_000 }, () => {
  it('is recorded whole, with the tokens that it reports and those of the title that it does not', async () => {
    const { world, upstream, directory } = await anAgentWorld('api.deepseek.com', 'chat', at => ({
      tool: 'write',
      input: { filePath: join(at, 'made.txt'), content: 'by opencode\n' },
    }));
    const provider = {
      npm: '@ai-sdk/openai-compatible',
      options: { baseURL: 'https://api.deepseek.com/v1', apiKey: 'sk-test-of-agents-0123456789' },
      models: { 'deepseek-chat': {} },
    };
    const { outcome, session, turns, requests } = await trace(
      world,
      directory,
      'opencode',
      ['run', '--format', 'json', '-m', 'deepseek/deepseek-chat', 'Write made.txt'],
      {
        // As a shell sets it: it goes by that.
        PWD: directory,
        OPENCODE_CONFIG_CONTENT: JSON.stringify({ provider: { deepseek: provider }, permission: 'allow' }),
        // It waits for a package that it would fetch for plugins.
        npm_config_offline: 'true',
      },
    );
    expect(readFileSync(join(directory, 'made.txt'), 'utf8')).toBe('by opencode\n');
    expect(requests).toEqual(modelRequests(upstream));
    const steps = outcome.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { type: string; part: { tokens: Tokens } })
      .filter(({ type }) => type === 'step_finish')
      .map(({ part }) => part.tokens);
    const reported = steps.reduce((sum, { input, cache }) => sum + input + cache.read, 0);
    const titles = requests.filter(request => !request?.includes('"tools":')).length;
    expect(requests).toHaveLength(steps.length + titles);
    // It quotes what has spaces.
    expect(session).toMatchObject({ agent: 'opencode', title: '"Write made.txt"', exchanges: requests.length });
    expect([session?.repository, turns]).toEqual([directory, 1]);
    expect(session?.usage.inputTokens).toBe(reported + titles * replyTokens.input);
    expect(session?.usage.outputTokens).toBe(
      steps.reduce((sum, { output }) => sum + output, 0) + titles * replyTokens.output,
    );
  });
});

interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cache: { readonly read: number };
}
