import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../../server/base/log.ts';
import type { ProxyLaunch } from '../../../server/proxy/proxy.ts';
import { recordedSource } from '../../../server/proxy/replay/recorded.ts';
import { startReplay } from '../../../server/proxy/replay/replayServer.ts';
import { toCleanSession } from '../../../server/traces/exports/export.ts';
import { type FakeUpstream, type FakeUpstreamOptions, fakeAccountId, startFakeUpstream } from '../../fakes/upstream.ts';
import { type TestAuthority, testAuthority } from '../../fakes/upstreamCertificate.ts';
import { codexDirectory, requireFeature } from '../../require.ts';
import { temporaryDirectory } from '../../temporary.ts';
import {
  aRecordingWorld,
  askDatabase,
  type ProgramOutcome,
  type RecordingWorld,
  runProgram,
} from './recordingWorld.ts';
import { expectSameWire } from './wireComparison.ts';

const prompt = 'SHELL echo $GREETING tracing works\nADD made.txt by codex\nSAY All done.';

describe.skipIf(!requireFeature('codex'))('the real Codex CLI', { timeout: 90_000 }, () => {
  it('is recorded through HTTPS_PROXY, over SSE after its WebSocket was refused with 426', async () => {
    const { world, upstream, launch } = await aTracedUpstream();
    const codex = await runCodex({ ...launch.launch.env, CODEX_API_KEY: 'sk-canary-0123456789abcdef' });
    expect(codex.outcome).toMatchObject({ code: 0 });
    expect(readFileSync(join(codex.repository, 'made.txt'), 'utf8')).toBe('by codex\n');
    expect(codex.outcome.stdout).not.toContain('Reconnecting');
    await launch.settled();
    expect(askDatabase(world.database).map(row => [row.model, row.host])).toEqual([
      ['gpt-5.5', 'api.openai.com'],
      ['gpt-5.5', 'api.openai.com'],
      ['gpt-5.5', 'api.openai.com'],
    ]);
    expect(upstream.requests.find(request => request.method === 'POST')?.headers.authorization).toBe(
      'Bearer sk-canary-0123456789abcdef',
    );
    const [sessionId = ''] = launch.sessionIds();
    expect(sessionId).toBe(codex.threadId);
    const session = toCleanSession(world.store, sessionId);
    expect(session).toMatchObject({
      agent: 'codex',
      title: 'SHELL echo $GREETING tracing works',
      repository: codex.repository,
    });
    expect(session.messages.filter(message => message.role === 'tool').map(message => message.name)).toEqual([
      'exec_command',
      'apply_patch',
    ]);
    expect(session.messages.at(-1)).toMatchObject({ role: 'assistant', text: 'All done.' });
    expect(launch.meter()).toMatchObject({ exchanges: 3, streamingTokens: 0, usage: { inputTokens: 3000 } });
    expect(world.proxy.status()).toMatchObject({ uncaptured: 0 });
    expect(readFileSync(world.database).includes('canary')).toBe(false);
  });

  it('is recorded over its WebSocket, and the whole conversation is rebuilt', async () => {
    const { world, launch } = await aTracedUpstream({ webSocket: true, deflate: true });
    const codex = await runCodex({ ...launch.launch.env, CODEX_API_KEY: 'sk-canary-0123456789abcdef' });
    expect(codex.outcome).toMatchObject({ code: 0 });
    await launch.settled();
    const [sessionId = ''] = launch.sessionIds();
    const exchanges = world.store.exchangesOfSession(sessionId);
    expect(exchanges.map(exchange => exchange.transport)).toEqual(Array(exchanges.length).fill('websocket'));
    const requests = [...world.store.wholeExchanges(sessionId)].map(whole => whole.request as { input: object[] });
    expect(requests.at(-1)?.input.map(item => 'type' in item && item.type)).toEqual(
      expect.arrayContaining(['message', 'function_call', 'function_call_output', 'custom_tool_call_output']),
    );
    expect(world.proxy.status()).toMatchObject({ uncaptured: 0 });
  });

  it.each([
    { transport: 'SSE', options: {}, login: false },
    { transport: 'SSE with zstd bodies', options: {}, login: true },
    { transport: 'WebSocket', options: { webSocket: true }, login: false },
    { transport: 'compressed WebSocket', options: { webSocket: true, deflate: true }, login: false },
  ])('can be written out byte for byte as the upstream received and sent it, over $transport', async parts => {
    const { world, upstream, launch } = await aTracedUpstream(parts.options);
    const env = parts.login ? {} : { CODEX_API_KEY: 'sk-canary-0123456789abcdef' };
    const files: Record<string, string> = parts.login ? { 'auth.json': fabricatedLogin() } : {};
    const codex = await runCodex({ ...launch.launch.env, ...env }, [], files);
    expect(codex.outcome).toMatchObject({ code: 0 });
    await launch.settled();
    const calls = upstream.requests.filter(request => request.replied.length > 0);
    expect(calls.length).toBeGreaterThanOrEqual(3);
    expectSameWire(world.store, launch.sessionIds()[0] ?? '', calls);
  });

  it('is recorded through a base URL, with the real key put in by the proxy', async () => {
    const { world, upstream, launch } = await aTracedUpstream({}, { realKey: 'sk-real-0123456789abcdef' });
    const provider = `model_providers.coach={name="coach",base_url="${launch.launch.baseUrl}",env_key="PLACEHOLDER"}`;
    const args = ['-c', 'model_provider=coach', '-c', provider];
    const codex = await runCodex({ PLACEHOLDER: launch.launch.token }, args);
    expect(codex.outcome).toMatchObject({ code: 0 });
    await launch.settled();
    expect(askDatabase(world.database)[0]).toMatchObject({ model: 'gpt-5.5', host: 'api.openai.com' });
    const posts = upstream.requests.filter(request => request.method === 'POST');
    expect(posts.map(request => [request.url, request.headers.host, request.headers.authorization])).toEqual(
      Array(3).fill(['/v1/responses', 'api.openai.com', 'Bearer sk-real-0123456789abcdef']),
    );
    expect(posts.every(request => !JSON.stringify(request.rawHeaders).includes(launch.launch.token))).toBe(true);
  });

  it('is recorded with zstd request bodies under a ChatGPT login, as a subscription', async () => {
    const { world, upstream, launch } = await aTracedUpstream();
    const codex = await runCodex(launch.launch.env, [], { 'auth.json': fabricatedLogin() });
    expect(codex.outcome).toMatchObject({ code: 0 });
    await launch.settled();
    const posts = upstream.requests.filter(request => request.method === 'POST' && request.url.endsWith('/responses'));
    expect(posts.map(request => request.headers['content-encoding'])).toEqual(['zstd', 'zstd', 'zstd']);
    expect(askDatabase(world.database)[0]).toMatchObject({ model: 'gpt-5.5', host: 'chatgpt.com' });
    const [sessionId = ''] = launch.sessionIds();
    expect(world.store.session(sessionId)?.cost).toEqual({ amountUsd: null, kind: 'subscription' });
    expect(world.store.conversation(sessionId).some(item => item.text.includes('tracing works'))).toBe(true);
    expect(readFileSync(world.database).includes('eyJhbGciOi')).toBe(false);
  });

  it('repeats a recorded session in another directory without the model', async () => {
    const { world, launch } = await aTracedUpstream();
    await runCodex({ ...launch.launch.env, CODEX_API_KEY: 'sk-canary-0123456789abcdef' });
    await launch.settled();
    const replay = await startReplay(await recordedSource(world.store, launch.sessionIds()[0] ?? ''), silentLog);
    onTestFinished(() => replay.dispose());
    const again = await world.open({ overrides: overridesTo(replay.origin), replay: true });
    const codex = await runCodex({ ...again.launch.env, CODEX_API_KEY: 'sk-canary-0123456789abcdef' });
    expect(replay.failures()).toEqual([]);
    expect(codex.outcome).toMatchObject({ code: 0 });
    expect(readFileSync(join(codex.repository, 'made.txt'), 'utf8')).toBe('by codex\n');
    await again.settled();
    expect(world.store.session(again.sessionIds()[0] ?? '')?.cost.kind).toBe('replay');
  });

  it('fails at once and says why when its work differs from the recording', async () => {
    const { world, launch } = await aTracedUpstream();
    await runCodex({ ...launch.launch.env, CODEX_API_KEY: 'sk-canary-0123456789abcdef' });
    await launch.settled();
    const replay = await startReplay(await recordedSource(world.store, launch.sessionIds()[0] ?? ''), silentLog);
    onTestFinished(() => replay.dispose());
    const again = await world.open({ overrides: overridesTo(replay.origin), replay: true });
    const env = { ...again.launch.env, CODEX_API_KEY: 'sk-canary-0123456789abcdef', GREETING: 'suddenly' };
    const codex = await runCodex(env);
    expect(codex.outcome.code).toBe(1);
    expect(codex.outcome.stdout).toContain(
      'expected \\\\\\"tracing works\\\\\\", got \\\\\\"suddenly tracing works\\\\\\"',
    );
    expect(replay.failures()).toHaveLength(1);
  });
});

async function aTracedUpstream(
  options: FakeUpstreamOptions = {},
  spec: Parameters<RecordingWorld['open']>[0] = {},
): Promise<{ world: RecordingWorld; upstream: FakeUpstream; launch: ProxyLaunch }> {
  const authority: TestAuthority = testAuthority();
  onTestFinished(() => authority.dispose());
  const upstream = await startFakeUpstream({ tls: authority.issue('127.0.0.1'), ...options });
  onTestFinished(() => upstream.dispose());
  const world = await aRecordingWorld();
  const overrides = overridesTo(upstream.origin, authority.caFile);
  return { world, upstream, launch: await world.open({ overrides, ...spec }) };
}

/** Codex asks chatgpt.com for its models even with an API key; without a network that alone takes it six seconds. */
function overridesTo(target: string, caFile?: string) {
  return ['api.openai.com', 'chatgpt.com'].map(host => ({ host, target, ...(caFile ? { caFile } : {}) }));
}

async function runCodex(
  env: Record<string, string | null | undefined>,
  args: readonly string[] = [],
  files: Record<string, string> = {},
): Promise<{ outcome: ProgramOutcome; repository: string; threadId: string }> {
  const repository = temporaryDirectory();
  // Outside the temporary directory: there Codex refuses to make its own helpers.
  const codexHome = mkdtempSync(join(homedir(), '.coach-test-codex-'));
  onTestFinished(() => rmSync(codexHome, { recursive: true, force: true, maxRetries: 5 }));
  mkdirSync(codexHome, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(codexHome, name), content);
  const outcome = await runProgram(
    join(codexDirectory() ?? '', 'bin', 'codex'),
    [
      ...['exec', '--json', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '-m', 'gpt-5.5'],
      ...['-c', 'otel.metrics_exporter="none"', '-c', 'analytics.enabled=false', '--disable', 'plugins'],
      ...['--disable', 'apps', ...args, prompt],
    ],
    { cwd: repository, env: { PATH: process.env['PATH'], HOME: codexHome, CODEX_HOME: codexHome, ...env } },
  );
  const started = /"thread_id":"([^"]+)"/.exec(outcome.stdout);
  return { outcome, repository, threadId: started?.[1] ?? '' };
}

/** A login as Codex stores it, with tokens that no one has signed. */
function fabricatedLogin(): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    email: 'nobody@example.com',
    exp: Math.floor(Date.now() / 1000) + 86_400,
    'https://api.openai.com/auth': {
      chatgpt_plan_type: 'pro',
      chatgpt_account_id: fakeAccountId,
      chatgpt_user_id: 'user-1',
    },
  };
  const token = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}.${encode({ not: 'signed' })}`;
  return JSON.stringify({
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: { id_token: token, access_token: token, refresh_token: 'refresh-me', account_id: fakeAccountId },
    last_refresh: new Date().toISOString(),
  });
}
