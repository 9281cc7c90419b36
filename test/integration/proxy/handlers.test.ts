import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { methodOf } from '../../../protocol/api.ts';
import { EventBus } from '../../../server/base/bus.ts';
import { systemClock } from '../../../server/base/clock.ts';
import { announceProxy } from '../../../server/proxy/handlers.ts';
import { CodexSessionFiles } from '../../../server/traces/codexFiles/codexSessionFiles.ts';
import { announceSessions, sessionHandlers } from '../../../server/traces/handlers.ts';
import { readInThisThread } from '../../../server/traces/reader/readerInThisThread.ts';
import { Redactor } from '../../../server/traces/redaction.ts';
import { startFakeUpstream } from '../../fakes/upstream.ts';
import { aRecordingWorld, handlersOf } from './recordingWorld.ts';

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
    });
    expect(await proxies.close({ token: launch.token }, never)).toEqual({ closed: false, sessionIds: [] });
    expect(await sessions.list({ limit: 10 }, never)).toMatchObject({
      rows: [{ id: 'thread-1', agent: 'codex', title: 'SAY hello', cost: { kind: 'replay' } }],
      next: null,
    });
    const shown = await sessions.show({ sessionId: 'thread-1' }, never);
    expect(shown.conversation.map(item => item.kind)).toEqual(['user', 'reasoning', 'assistant']);
    expect((await sessions.stats({ days: 1, by: ['day', 'model', 'agent'] }, never)).rows).toMatchObject([
      { model: 'gpt-5.5', exchanges: 1 },
    ]);
    expect(proxies.status({}, never)).toMatchObject({ state: 'listening', exchanges: 1, uncaptured: 0 });
    expect(heard).toContain(methodOf('sessions', 'changed'));
    await vi.waitFor(() => expect(heard).toContain(methodOf('proxy', 'changed')));
    expect(world.proxy.openConnections()).toBe(0);
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
