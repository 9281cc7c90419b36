import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { delay } from '../../../server/base/clock.ts';
import { startFakeUpstream } from '../../fakes/upstream.ts';
import { aRecordingWorld, handlersOf } from './recordingWorld.ts';

const host = 'api.openai.com';
const never = new AbortController().signal;
const params = { agent: 'codex', replay: false, noProxy: '', secrets: [] };

async function ask(baseUrl: string): Promise<number> {
  const headers = { 'thread-id': 'one', connection: 'close' };
  const body = JSON.stringify({ model: 'gpt-5.5', input: [] });
  const answer = await fetch(`${baseUrl}/responses`, { method: 'POST', headers, body });
  await answer.text();
  return answer.status;
}

describe('the close of a launch', () => {
  it('answers the session of a reply that it cuts off', async () => {
    const upstream = await startFakeUpstream({ halfway: () => 'stall' });
    onTestFinished(() => upstream.dispose());
    const world = await aRecordingWorld();
    const proxies = handlersOf(world);
    const overrides = [{ host, target: upstream.origin }];
    const launch = await proxies.launch({ ...params, overrides }, never);
    const asked = ask(launch.baseUrl).catch(() => null);
    await expect.poll(() => upstream.requests.length).toBe(1);
    expect(await proxies.close({ token: launch.token }, never)).toMatchObject({ closed: true, sessionIds: ['one'] });
    expect(await asked).toBeNull();
    expect(await ask(launch.baseUrl)).toBe(401);
  });

  it('answers the session of what waits for another program’s lock on the database', async () => {
    const upstream = await startFakeUpstream();
    onTestFinished(() => upstream.dispose());
    const world = await aRecordingWorld();
    const proxies = handlersOf(world);
    const launch = await proxies.launch({ ...params, overrides: [{ host, target: upstream.origin }] }, never);
    const other = new Database(world.database);
    onTestFinished(() => void other.close());
    other.exec('BEGIN IMMEDIATE');
    await ask(launch.baseUrl);
    const closed = proxies.close({ token: launch.token }, never);
    await expect.poll(() => world.proxy.status().recordingFault, { timeout: 5000 }).toMatchObject({ fault: 'locked' });
    await delay(300);
    other.exec('COMMIT');
    expect(await closed).toMatchObject({ closed: true, sessionIds: ['one'] });
  });
});
