import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { remote } from '../../../protocol/api.ts';
import { proxy } from '../../../protocol/proxy.ts';
import { isAlive } from '../../../server/base/exec.ts';
import { requireFeature } from '../../require.ts';
import { until } from '../../world.ts';
import { aCodexWorld, startTurn, storedExchanges } from './tracedCodex.ts';

/** Longer than the gap from which the server takes it for sleep, and than the idle times below. */
const sleepMs = 16_000;

/** Stops a process as a laptop's sleep does; answers when it went on (epoch ms). */
async function sleeps(pid: number): Promise<number> {
  process.kill(pid, 'SIGSTOP');
  try {
    await delay(sleepMs);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  return Date.now();
}

describe.skipIf(!requireFeature('codex'))('a server that sleeps with its machine', { timeout: 120_000 }, () => {
  it('goes on with the stream in the middle of which it slept, in the same try and the same session', async () => {
    let asleep: Promise<number> | undefined;
    let calls = 0;
    const world = await aCodexWorld(
      {
        async halfway() {
          if (++calls !== 2) return null;
          asleep = sleeps(connection.info.pid);
          await delay(1000);
          return null;
        },
      },
      { SESSION_IDLE_SECS: '10' },
    );
    const connection = await world.home.connect();
    const { baseUrl } = await remote(proxy, connection.channel).launch({ agent: 'other' });
    const ask = () => fetch(`${baseUrl}/responses`, { method: 'POST', body: '{"model":"m","input":[]}' });
    const anonymous = async () => (await (await ask()).text()).includes('response.completed');
    expect(await anonymous()).toBe(true);
    const outcome = await startTurn(world, 'SHELL echo one\nSAY All done.').done;
    expect(await asleep).toBeGreaterThan(0);
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('All done.') });
    expect(await anonymous()).toBe(true);
    await expect.poll(() => storedExchanges(world).length, { timeout: 20_000 }).toBe(world.calls().length);
    const stored = storedExchanges(world);
    expect(stored.map(({ attempt, error }) => [attempt, error])).toEqual(Array(4).fill([1, null]));
    expect(stored.map(({ session }) => session).filter(session => session === outcome.threadId)).toHaveLength(2);
    // The two without an id are one session: nobody was silent while the machine slept.
    expect(new Set(stored.map(({ session }) => session)).size).toBe(2);
  });

  it('does not take its sleep for idleness, and leaves when it was awake for long enough', async () => {
    const world = await aCodexWorld({}, { COACH_IDLE_SECS: '10' });
    const { info, dispose } = await world.home.connect();
    dispose();
    const awakeAt = await sleeps(info.pid);
    await until(() => !isAlive(info.pid), 40_000);
    const stopping = readFileSync(info.log, 'utf8')
      .split('\n')
      .find(line => line.includes('"Stopping."'));
    const { at, reason } = JSON.parse(stopping ?? '{}') as { at: string; reason: string };
    expect(reason).toBe('idle');
    expect(Date.parse(at) - awakeAt).toBeGreaterThan(5000);
  });
});
