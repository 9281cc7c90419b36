import { connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { methodOf } from '../../../protocol/api.ts';
import { EventBus } from '../../../server/base/bus.ts';
import { systemClock } from '../../../server/base/clock.ts';
import { silentLog } from '../../../server/base/log.ts';
import { announceProxy } from '../../../server/proxy/handlers.ts';
import { ModelHosts } from '../../../server/proxy/hosts.ts';
import { recordedSource } from '../../../server/proxy/replay/recorded.ts';
import { startReplay } from '../../../server/proxy/replay/replayServer.ts';
import { CodexSessionFiles } from '../../../server/traces/codexFiles/codexSessionFiles.ts';
import { announceSessions, sessionHandlers } from '../../../server/traces/handlers.ts';
import { readInThisThread } from '../../../server/traces/reader/readerInThisThread.ts';
import { Redactor } from '../../../server/traces/redaction/redaction.ts';
import { startFakeUpstream } from '../../fakes/upstream.ts';
import { aRecorder, aReply, said } from '../../unit/traces/recordedTraffic.ts';
import { aRecordingWorld, handlersOf, openSecure, readAll } from './recordingWorld.ts';

const host = 'api.openai.com';
const never = new AbortController().signal;

async function setUp() {
  const world = await aRecordingWorld();
  const upstream = await startFakeUpstream();
  const bus = new EventBus();
  const heard: string[] = [];
  bus.subscribe(event => void heard.push(event.method));
  const announcing = [announceProxy(world.proxy, bus), announceSessions(world.recorder, bus)];
  onTestFinished(async () => {
    for (const each of announcing) each.dispose();
    await reader.dispose();
    await upstream.dispose();
  });
  const { recorder, store } = world;
  const proxies = handlersOf(world);
  const overrides = [{ host, target: upstream.origin }];
  const files = new CodexSessionFiles([], new Redactor());
  const reader = readInThisThread({ tracesDb: world.database, codexDirectories: [] });
  return {
    world,
    heard,
    proxies,
    sessions: sessionHandlers({ store, files, reader, recorder, clock: systemClock }),
    overrides,
  };
}

describe('the proxy’s face', () => {
  it('opens a launch, records what goes through it, tells everyone, and forgets it', async () => {
    const { world, heard, proxies, sessions, overrides } = await setUp();
    const launch = await proxies.launch({ agent: 'codex', overrides, replay: true, noProxy: '' }, never);
    const answer = await fetch(`${launch.baseUrl}/responses`, {
      method: 'POST',
      headers: { 'thread-id': 'thread-1', connection: 'close' },
      body: JSON.stringify({ model: 'gpt-5.5', input: [{ role: 'user', content: 'SAY hello' }] }),
    });
    await answer.text();
    expect(await proxies.close({ token: launch.token }, never)).toEqual({
      closed: true,
      sessionIds: ['thread-1'],
      mismatches: [],
      unreached: [],
    });
    expect(await proxies.close({ token: launch.token }, never)).toEqual({ closed: false, sessionIds: [] });
    expect(await sessions.list({ limit: 10 }, never)).toMatchObject({
      rows: [{ id: 'thread-1', agent: 'codex', title: 'SAY hello', cost: { kind: 'replay' } }],
      next: null,
    });
    const shown = await sessions.show({ sessionId: 'thread-1' }, never);
    expect(shown.conversation.map(item => item.kind)).toEqual(['user', 'reasoning', 'assistant']);
    expect((await sessions.stats({ days: 1, by: ['day', 'model', 'agent'] }, never)).rows).toEqual([]);
    expect(proxies.status({}, never)).toMatchObject({ state: 'listening', exchanges: 1, uncaptured: 0 });
    expect(heard).toContain(methodOf('sessions', 'changed'));
    await vi.waitFor(() => expect(heard).toContain(methodOf('proxy', 'changed')));
    expect(world.proxy.openConnections()).toBe(0);
  });

  it('hides the secret values of whoever launches, and of a shell, in all that is recorded after', async () => {
    const { world, proxies, overrides } = await setUp();
    const [ofLaunch, ofShell] = ['a value of the launch', 'a value of the shell'];
    await proxies.start({}, never);
    await proxies.environment({ noProxy: '', baseUrls: {}, settings: {}, secrets: [ofShell] }, never);
    const launch = await proxies.launch(
      { agent: 'codex', overrides, replay: false, noProxy: '', secrets: [ofLaunch] },
      never,
    );
    const answer = await fetch(`${launch.baseUrl}/responses`, {
      method: 'POST',
      headers: { 'thread-id': 'thread-1', connection: 'close' },
      body: JSON.stringify({ model: 'gpt-5.5', input: [said('user', `SAY ${ofLaunch} and ${ofShell}`)] }),
    });
    expect(await answer.text()).toContain(ofLaunch);
    await proxies.close({ token: launch.token }, never);
    const recorded = JSON.stringify([...world.store.wholeExchanges('thread-1'), world.store.session('thread-1')]);
    expect(recorded).toContain('SAY [redacted] and [redacted]');
    expect(recorded).not.toMatch(/a value of/);
    expect(JSON.stringify(proxies.status({}, never))).not.toMatch(/a value of/);
  });

  it('refuses another port than the one that agents were told', async () => {
    const { world, proxies } = await setUp();
    expect(await proxies.start({ port: world.port }, never)).toMatchObject({ port: world.port });
    expect(await proxies.start({ port: 0 }, never)).toMatchObject({ port: world.port });
    const moved = async () => proxies.start({ port: world.port === 1024 ? 1025 : 1024 }, never);
    await expect(moved()).rejects.toMatchObject({ code: 'proxy.portInUse', message: expect.stringContaining('1024') });
  });

  it('tests the route down to the database without leaving a trace', async () => {
    const { world, proxies } = await setUp();
    expect(await proxies.test({}, never)).toMatchObject({
      ok: true,
      steps: [{ name: 'proxy' }, { name: 'certificate' }, { name: 'interception' }, { name: 'database', ok: true }],
    });
    expect(world.store.newest({ limit: 1 }).rows).toEqual([]);
    await world.proxy.dispose();
    expect(await proxies.test({}, never)).toMatchObject({ ok: false, steps: [{ name: 'proxy', ok: false }] });
  });
});

/** A proxy with settings of its own, each of which leads to the same model; `asked` is what that heard. */
async function aConfiguredProxy() {
  const model = await startFakeUpstream();
  onTestFinished(() => model.dispose());
  const hosts = new ModelHosts(`gateway.example,http://localhost:${model.port}`);
  const upstreams = ['gateway.example', 'moved.example'].map(name => ({ host: name, target: model.origin }));
  const world = await aRecordingWorld(null, { hosts, overrides: upstreams });
  const answers = await recordedSource(aRecordedSession(), 'recorded');
  const startAnswers = () => startReplay(answers, silentLog);
  const proxies = handlersOf(world, { hosts, upstreams, startReplay: startAnswers });
  return { world, model, proxies, asked: () => model.requests.map(({ url }) => url) };
}

const hello = { model: 'gpt-5.5', input: [said('user', 'Hello')] };

function aRecordedSession() {
  const { store, record } = aRecorder();
  record({ headers: { 'thread-id': 'recorded' }, request: hello, response: aReply([said('assistant', 'As then.')]) });
  return store;
}

function aPost(target: string, name: string): string {
  const body = JSON.stringify(hello);
  return `POST ${target} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

describe('a launch that a recording answers', () => {
  const spec = { agent: 'codex', overrides: [], replay: false, noProxy: '' };
  const recording = { reference: 'session:recorded', pace: 0 };

  it.each(['gateway.example', 'moved.example', 'api.openai.com', 'other.example'])(
    'is kept from the real model at %s',
    async name => {
      const { world, proxies, asked } = await aConfiguredProxy();
      const overrides = [{ host: 'other.example', target: 'http://127.0.0.1:9' }];
      const { token } = await proxies.launch({ ...spec, overrides, recording }, never);
      const agent = await openSecure(world, name, token);
      agent.write(aPost('/v1/responses', name));
      expect(await readAll(agent)).toContain('As then.');
      expect(await proxies.close({ token }, never)).toMatchObject({ closed: true, mismatches: [] });
      expect(asked()).toEqual([]);
    },
  );

  it('is kept from a real model without TLS', async () => {
    const { world, model, proxies, asked } = await aConfiguredProxy();
    const place = `http://localhost:${model.port}`;
    const { baseUrl, token } = await proxies.launch({ ...spec, endpoint: place, recording }, never);
    const byBaseUrl = await fetch(`${baseUrl}/responses`, { method: 'POST', body: JSON.stringify(hello) });
    expect(await byBaseUrl.text()).toContain('As then.');
    const agent = connect(world.port, '127.0.0.1');
    const shown = `\r\nProxy-Authorization: Basic ${btoa(`coach:${token}`)}\r\nConnection: close`;
    agent.write(aPost(`${place}/v1/responses`, 'x').replace('\r\nConnection: close', shown));
    expect(await readAll(agent)).toContain('As then.');
    await proxies.close({ token }, never);
    expect(asked()).toEqual([]);
  });

  it('is kept from the real model that its own base URL names, whatever that is', async () => {
    const { model, proxies, asked } = await aConfiguredProxy();
    const baseUrls = { OPENAI_BASE_URL: `${model.origin}/v1`, ANTHROPIC_BASE_URL: 'https://10.0.0.5' };
    const { env, token } = await proxies.launch({ ...spec, baseUrls, recording }, never);
    const options = { method: 'POST', headers: { connection: 'close' }, body: JSON.stringify(hello) };
    expect(await (await fetch(`${env['OPENAI_BASE_URL']}/responses`, options)).text()).toContain('As then.');
    expect(env['ANTHROPIC_BASE_URL']).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect(await proxies.close({ token }, never)).toMatchObject({ mismatches: [] });
    expect(asked()).toEqual([]);
  });

  it('did not go as recorded when it asked nothing', async () => {
    const { proxies } = await aConfiguredProxy();
    const { token, baseUrl } = await proxies.launch({ ...spec, recording }, never);
    await (await fetch(`${baseUrl}/models`, { headers: { connection: 'close' } })).text();
    const { mismatches } = await proxies.close({ token }, never);
    expect(mismatches).toEqual([expect.stringContaining('Nothing was asked')]);
  });
});

describe('an agent with base URLs of its own', () => {
  const spec = { agent: 'other', overrides: [], replay: false, noProxy: '' };

  it('goes on to its gateway without TLS, recorded', async () => {
    const { world, model, proxies, asked } = await aConfiguredProxy();
    const baseUrls = { OPENAI_BASE_URL: `${model.origin}/v1`, ANTHROPIC_BASE_URL: 'https://gateway.example' };
    const { token, env } = await proxies.launch({ ...spec, baseUrls }, never);
    expect(env).toMatchObject({ ANTHROPIC_BASE_URL: 'https://gateway.example', OPENAI_API_BASE: null });
    const headers = { 'thread-id': 'thread-2', connection: 'close' };
    const options = { method: 'POST', headers, body: JSON.stringify(hello) };
    await (await fetch(`${env['OPENAI_BASE_URL']}/responses`, options)).text();
    expect(asked()).toEqual(['/v1/responses']);
    expect(await proxies.close({ token }, never)).toMatchObject({ sessionIds: ['thread-2'] });
    expect(world.store.exchangesOfSession('thread-2')).toMatchObject([{ url: `${model.origin}/v1/responses` }]);
  });

  it('goes on to what its own configuration names, recorded', async () => {
    const { world, model, proxies, asked } = await aConfiguredProxy();
    const settings = { gateway: 'https://gateway.example', local: `${model.origin}/v1` };
    const { token, env, settings: led } = await proxies.launch({ ...spec, settings }, never);
    expect(led).toEqual({ local: expect.stringContaining(`/${token}/v1`) });
    expect(Object.keys(env)).not.toContain('local');
    const headers = { 'thread-id': 'thread-3', connection: 'close' };
    await (await fetch(`${led?.['local']}/responses`, { method: 'POST', headers, body: JSON.stringify(hello) })).text();
    expect(asked()).toEqual(['/v1/responses']);
    expect(await proxies.close({ token }, never)).toMatchObject({ sessionIds: ['thread-3'] });
    expect(world.store.exchangesOfSession('thread-3')).toMatchObject([{ url: `${model.origin}/v1/responses` }]);
  });

  it('is not started where a base URL can’t be recorded', async () => {
    const { proxies } = await aConfiguredProxy();
    const baseUrls = { OPENAI_BASE_URL: 'https://10.0.0.5/v1' };
    await expect(proxies.launch({ ...spec, baseUrls }, never)).rejects.toMatchObject({ code: 'input.invalid' });
  });

  it('may be started in a shell, where its sessions tell whose they are', async () => {
    const { world, model, proxies, asked } = await aConfiguredProxy();
    await proxies.start({}, never);
    const recorded = { OPENAI_BASE_URL: 'https://gateway.example/v1' };
    const own = { noProxy: 'git.example,gateway.example', settings: {} };
    const usual = await proxies.environment({ ...own, baseUrls: recorded }, never);
    expect(usual).toMatchObject({ token: null, env: { ...recorded, NO_PROXY: 'localhost,127.0.0.1,::1,git.example' } });
    const shell = await proxies.environment({ ...own, baseUrls: { OPENAI_BASE_URL: `${model.origin}/v1` } }, never);
    const headers = { 'thread-id': 'thread-4', 'user-agent': 'codex_exec/0.169.0', connection: 'close' };
    const options = { method: 'POST', headers, body: JSON.stringify(hello) };
    await (await fetch(`${shell.env['OPENAI_BASE_URL']}/responses`, options)).text();
    expect(asked()).toEqual(['/v1/responses']);
    expect(await proxies.close({ token: shell.token ?? '' }, never)).toMatchObject({ sessionIds: ['thread-4'] });
    expect(world.store.session('thread-4')).toMatchObject({ agent: 'codex' });
    const refused = proxies.environment({ ...own, baseUrls: { OPENAI_BASE_URL: 'https://10.0.0.5' } }, never);
    await expect(refused).rejects.toMatchObject({ code: 'input.invalid' });
  });

  it.each([
    ['its base URL', { baseUrls: { OPENAI_BASE_URL: 'https://llm.corp.example/v1' } }],
    ['its endpoint', { endpoint: 'https://llm.corp.example:8443' }],
    ['its override', { overrides: [{ host: 'LLM.corp.example', target: 'https://elsewhere.example' }] }],
  ])('is not led past the recording by the user’s NO_PROXY for %s', async (_, more) => {
    const { proxies } = await aConfiguredProxy();
    const noProxy = '.corp.example,git.example,moved.example';
    const { env } = await proxies.launch({ ...spec, ...more, noProxy }, never);
    expect(env['NO_PROXY']).toBe('localhost,127.0.0.1,::1,git.example');
  });
});
