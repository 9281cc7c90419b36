import { describe, expect, it, onTestFinished } from 'vitest';
import { proxyWarnings } from '../../../protocol/proxyWarnings.ts';
import { createLog } from '../../../server/base/log.ts';
import type { ProxyLaunch } from '../../../server/proxy/proxy.ts';
import { startFakeUpstream } from '../../fakes/upstream.ts';
import { testAuthority } from '../../fakes/upstreamCertificate.ts';
import { aRecordingWorld, handlersOf, openTunnel } from './recordingWorld.ts';

const host = 'api.openai.com';
const never = new AbortController().signal;

async function aLoggedWorld(env: NodeJS.ProcessEnv = {}) {
  const lines: string[] = [];
  const log = createLog(line => void lines.push(line), { debug: false });
  const world = await aRecordingWorld(null, { env, log });
  return { world, logged: () => lines.filter(line => line.includes('could not be reached')) };
}

async function ask({ launch }: Pick<ProxyLaunch, 'launch'>): Promise<{ status: number; text: string }> {
  const headers = { 'thread-id': 'one', connection: 'close' };
  const body = JSON.stringify({ model: 'gpt-5.5', input: [] });
  const answer = await fetch(`${launch.baseUrl}/responses`, { method: 'POST', headers, body });
  return { status: answer.status, text: await answer.text() };
}

describe('a model host that can’t be reached', () => {
  it('is logged once and told by the status and the launch until it is reached', async () => {
    const { world, logged } = await aLoggedWorld();
    const upstream = await startFakeUpstream();
    onTestFinished(() => upstream.dispose());
    const dead = [{ host, target: 'http://127.0.0.1:9' }];
    const launch = await world.open({ overrides: dead });
    for (let count = 0; count < 3; count++) expect((await ask(launch)).status).toBe(502);
    const failure = { host, reason: "Can't reach 127.0.0.1:9: connect ECONNREFUSED 127.0.0.1:9", hint: null };
    expect(logged()).toHaveLength(1);
    expect(launch.unreached()).toMatchObject([failure]);
    expect(world.proxy.status().unreached).toMatchObject([failure]);
    expect(proxyWarnings(world.proxy.status())).toEqual([
      expect.stringMatching(/^api\.openai\.com could not be reached\. Can't reach .*\. Last tried at \d\d:\d\d\.$/),
    ]);
    const other = await world.open({ overrides: [{ host, target: upstream.origin }] });
    expect((await ask(other)).status).toBe(200);
    expect(world.proxy.status().unreached).toEqual([]);
    expect(launch.unreached()).toHaveLength(1);
  });

  it('is said at the close of its launch', async () => {
    const { world } = await aLoggedWorld();
    const proxies = handlersOf(world);
    const overrides = [{ host, target: 'http://127.0.0.1:9' }];
    const launch = await proxies.launch({ agent: 'codex', overrides, replay: false, noProxy: '', secrets: [] }, never);
    await ask({ launch });
    expect(await proxies.close({ token: launch.token }, never)).toMatchObject({
      sessionIds: [],
      unreached: [{ host, reason: expect.stringContaining('ECONNREFUSED') }],
    });
  });

  it('for an authority that is not trusted tells what to do here, not what Node’s users do', async () => {
    const authority = testAuthority();
    const upstream = await startFakeUpstream({ tls: authority.issue('localhost') });
    onTestFinished(async () => {
      await upstream.dispose();
      authority.dispose();
    });
    const { world } = await aLoggedWorld();
    const launch = await world.open({ overrides: [{ host, target: `https://localhost:${upstream.port}` }] });
    const { status, text } = await ask(launch);
    expect(status).toBe(502);
    expect(text).toMatch(/certificate[^;]*NODE_EXTRA_CA_CERTS or SSL_CERT_FILE/);
    expect(text).not.toContain('--use-system-ca');
    expect(world.proxy.status().unreached).toMatchObject([
      { host, reason: expect.stringContaining('certificate'), hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') },
    ]);
  });

  it('because of the outer proxy names that', async () => {
    const { world, logged } = await aLoggedWorld({ HTTPS_PROXY: 'http://127.0.0.1:9' });
    await expect(openTunnel(world.port, `${host}:443`)).rejects.toThrow('502');
    const reason = "Can't reach the proxy 127.0.0.1:9 (HTTPS_PROXY): connect ECONNREFUSED 127.0.0.1:9";
    expect(world.proxy.status().unreached).toMatchObject([{ host, reason }]);
    expect(logged()).toEqual([expect.stringContaining('HTTPS_PROXY')]);
  });

  it('is none of those that serve no model', async () => {
    const { world, logged } = await aLoggedWorld();
    await expect(openTunnel(world.port, 'nowhere.invalid:443')).rejects.toThrow('502');
    expect(world.proxy.status().unreached).toEqual([]);
    expect(logged()).toEqual([]);
  });
});
