import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TraceStore } from '../../server/traces/store.ts';
import { startOuterProxy } from '../fakes/outerProxy.ts';
import { type FakeUpstream, type FakeUpstreamOptions, startFakeUpstream } from '../fakes/upstream.ts';
import { testAuthority } from '../fakes/upstreamCertificate.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, type World } from '../world.ts';
import { aCodexHome, codexProgram, quietArgs } from './proxy/realCodex.ts';

vi.setConfig({ testTimeout: 90_000 });

const key = 'sk-of-my-gateway-0123456789';
const prompt = 'SHELL echo $OPENAI_BASE_URL\nSAY All done.';
const provider = (url: string) => `[model_providers.gw]\nname = "gw"\nbase_url = "${url}"\nenv_key = "GW_KEY"\n`;
const inUse = (url: string) => `model_provider = "gw"\n${provider(url)}`;

/** A Codex with these files in its home, in a directory of its own. */
function aCodex(files: Readonly<Record<string, string>>) {
  const home = aCodexHome();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
  const directory = join(temporaryDirectory(), 'work');
  mkdirSync(directory);
  const env = { CODEX_HOME: home, GW_KEY: key, CODEX_API_KEY: key };
  return { home, directory, env };
}

async function aGateway(options: FakeUpstreamOptions = {}) {
  const gateway = await startFakeUpstream(options);
  let online = true;
  const end = async () => {
    if (online) await gateway.dispose();
    online = false;
  };
  onTestFinished(end);
  return { gateway, end };
}

/** Where what was recorded last was asked, each place once. */
function recordedUrls(world: World): string[] {
  const store = new TraceStore(world.paths.tracesDb);
  try {
    const [session] = store.newest({ limit: 1 }).rows;
    return [...new Set(store.exchangesOfSession(session?.id ?? '').map(({ url }) => url))];
  } finally {
    store.dispose();
  }
}

const urlsAt = (gateway: FakeUpstream) => new Set(gateway.requests.map(({ url }) => url));

describe.skipIf(!requireFeature('codex'))('the real Codex with a gateway in its own configuration', () => {
  const program = codexProgram();
  const words = (...options: string[]) => [program, ...options, ...quietArgs, prompt];

  it.each([
    ['its file', inUse, [], {}],
    ['a profile', () => '', ['-p', 'work'], {}],
    ['its command line', provider, ['-c', 'model_provider="gw"'], {}],
    ['the place of OpenAI, with a WebSocket', (url: string) => `openai_base_url = "${url}"`, [], { webSocket: true }],
  ] as const)('is recorded on the way there, by %s, and replayed without it', async (_, configOf, options, more) => {
    const { gateway, end } = await aGateway(more);
    const url = `${gateway.origin}/my/v1`;
    const { home, directory, env } = aCodex({ 'config.toml': configOf(url), 'work.config.toml': inUse(url) });
    const world = aWorld({ HOME: home });
    const traced = await world.cli(['trace', '--', ...words(...options)], { cwd: directory, env });
    expect(traced).toMatchObject({ code: 0, stdout: expect.stringContaining('All done.') });
    expect(urlsAt(gateway)).toContain('/my/v1/responses');
    expect(recordedUrls(world)).toEqual([`${gateway.origin}/my/v1/responses`]);
    const [, sessionId = ''] = /recorded as session (\S+):/.exec(traced.stderr) ?? [];

    await end();
    const { CODEX_HOME } = env;
    const again = await world.cli(['replay', sessionId, '--', ...words(...options)], {
      cwd: directory,
      env: { CODEX_HOME },
    });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('All done.') });
  });

  it('is recorded at a host with TLS that no setting names', async () => {
    const authority = testAuthority();
    onTestFinished(() => authority.dispose());
    const { gateway, end } = await aGateway({ tls: authority.issue('gateway.example') });
    const outer = await startOuterProxy({ places: { 'gateway.example:443': gateway.port } });
    onTestFinished(() => outer.dispose());
    const { home, directory, env } = aCodex({ 'config.toml': inUse('https://gateway.example/v1') });
    const way = { HTTPS_PROXY: `http://127.0.0.1:${outer.port}`, SSL_CERT_FILE: authority.caFile };
    const world = aWorld({ HOME: home, ...way, NO_PROXY: '', no_proxy: '' });
    const traced = await world.cli(words().slice(1), {
      cwd: directory,
      env: { ...env, PATH: `${join(program, '..')}:${process.env['PATH']}` },
    });
    expect(traced).toMatchObject({ code: 0, stdout: expect.stringContaining('All done.') });
    expect(recordedUrls(world)).toEqual(['https://gateway.example/v1/responses']);
    const store = new TraceStore(world.paths.tracesDb);
    const [session] = store.newest({ limit: 1 }).rows;
    store.dispose();

    await end();
    const asked = outer.heads.filter(head => head.includes('gateway.example')).length;
    const again = await world.cli(['replay', session?.id ?? '', '--', ...words()], { cwd: directory, env });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('All done.') });
    expect(outer.heads.filter(head => head.includes('gateway.example'))).toHaveLength(asked);
  });

  it('is not started where it can’t be recorded', async () => {
    const { home, directory, env } = aCodex({ 'config.toml': inUse('https://10.0.0.5/v1') });
    const world = aWorld({ HOME: home });
    const refused = await world.cli(['trace', '--', ...words()], { cwd: directory, env });
    const why = "model_providers.gw.base_url=https://10.0.0.5 can't be recorded";
    expect(refused).toMatchObject({ code: 2, stdout: expect.stringContaining(why) });
    expect(refused.stdout).not.toContain('thread.started');
  });
});
