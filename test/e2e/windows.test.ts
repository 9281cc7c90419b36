import { readdirSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { remote } from '../../protocol/api.ts';
import { runs } from '../../protocol/runs.ts';
import { server } from '../../protocol/server.ts';
import { writePreparedTask } from '../integration/benchFixture.ts';
import { requireFeature } from '../require.ts';
import { aSampleRepository } from '../sampleRepository.ts';
import type { World } from '../world.ts';
import { anEditorWorld, sharedEditorTools } from './editorWorld.ts';

const canRun = requireFeature('browser') && requireFeature('editor') && requireFeature('sandbox');
const seconds = 1000;

/** Two editors of one person, each with a window, an extension host and a connection of its own. */
describe.skipIf(!canRun)('two windows', () => {
  const tools = sharedEditorTools();

  it(
    'share one server and one database; reloading one and closing the other stops no trial',
    async () => {
      const world = anEditorWorld();
      const repository = await aSampleRepository();
      writePreparedTask(repository, 'median');
      const [one, other] = [await tools.open(world, repository), await tools.open(world, repository)];
      for (const window of [one, other]) {
        await window.openSideBar();
        await window.page.getByText('No run yet.').waitFor({ timeout: 60 * seconds });
      }
      const connection = await world.connect();
      const status = () => remote(server, connection.channel).status({});
      const { pid, clients } = await status();
      expect(clients, 'two windows and this test').toBe(3);
      expect(usersOf(world)).toEqual([pid]);

      const started = await remote(runs, connection.channel).start({
        repository,
        tasks: ['median'],
        agents: [{ id: 'command', command: ['sh', '-c', 'echo working; sleep 1; echo still working; sleep 12'] }],
        executor: 'local',
        unproven: true,
      });
      const trials = async () => (await remote(runs, connection.channel).show({ runId: started.id })).trials;
      for (const window of [one, other]) await window.row('Runs', /running/).waitFor({ timeout: 30 * seconds });
      await expect.poll(async () => (await trials())[0]?.phase, { timeout: 30 * seconds }).toBe('agent');
      await one.page.reload();
      await other.page.context().close();
      expect((await status()).pid).toBe(pid);
      const row = one.row('Runs', /finished, reward/);
      await row.waitFor({ timeout: 90 * seconds });
      await one.screenshot('windows-after-reload');
      const [trial] = await trials();
      expect(trial).toMatchObject({ phase: 'done', attempt: 1, end: 'verified' });
      expect(trial?.agentMs, 'the agent was not begun anew').toBeGreaterThan(12 * seconds);
      expect((await status()).pid).toBe(pid);
      expect(usersOf(world)).toEqual([pid]);
    },
    240 * seconds,
  );
});

describe.skipIf(!canRun)('settings of the server', () => {
  const tools = sharedEditorTools();

  it(
    'that are changed while it runs are told, let no agent start, and hold after its restart; unusable ones are named',
    async () => {
      const world = anEditorWorld();
      const window = await tools.open(world, await aSampleRepository());
      await window.openSideBar();
      await window.page.getByText('No run yet.').waitFor({ timeout: 60 * seconds });
      const pid = async () => {
        const connection = await world.connect();
        connection.dispose();
        return connection.info.pid;
      };
      const first = await pid();
      const toast = (text: string | RegExp) =>
        window.page.locator('.notifications-toasts .notification-list-item', { hasText: text });
      const press = (text: string | RegExp, button: string) =>
        toast(text).first().getByRole('button', { name: button }).click();

      const unheld = 'not started with this codexCoach.budget.dayTokens';
      window.setOnMachine({ 'codexCoach.budget.dayTokens': 1000 });
      await toast(unheld).waitFor({ timeout: 30 * seconds });
      await window.command('Open Coached Terminal');
      await toast(/start it anew with these settings/).waitFor({ timeout: 30 * seconds });
      await window.screenshot('windows-unheld-setting');
      expect(await pid()).toBe(first);
      await press(/start it anew with these settings/, 'Restart Background Server');
      await expect.poll(pid, { timeout: 30 * seconds }).not.toBe(first);
      const second = await pid();
      await window.command('Open Coached Terminal');
      await window.page
        .locator('.terminal-wrapper')
        .first()
        .waitFor({ timeout: 30 * seconds });

      // What was told of the setting before must not be taken for what is told now.
      await window.command('Notifications: Clear All Notifications');
      await toast(unheld).waitFor({ state: 'hidden' });
      window.setOnMachine({ 'codexCoach.budget.dayTokens': -5 });
      await toast(unheld).waitFor({ timeout: 30 * seconds });
      await window.command('Restart Background Server');
      const unusable = 'codexCoach.budget.dayTokens=-5 is not usable';
      await toast(unusable)
        .first()
        .waitFor({ timeout: 60 * seconds });
      await window.screenshot('windows-unusable-setting');
      window.setOnMachine({});
      await window
        .row('Tasks', /./)
        .or(window.page.getByText('No task yet.'))
        .first()
        .waitFor({ timeout: 60 * seconds });
      expect(await pid()).not.toBe(second);
    },
    240 * seconds,
  );
});

/** Processes that have a database of this world open. */
function usersOf({ paths }: World): number[] {
  const holds = (pid: string) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some(fd => {
        const file = readlinkSync(`/proc/${pid}/fd/${fd}`);
        return file.startsWith(paths.home) && file.endsWith('.sqlite3');
      });
    } catch {
      // Ended while we looked.
      return false;
    }
  };
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry) && holds(entry))
    .map(Number);
}
