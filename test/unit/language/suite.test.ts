import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { suites } from '../../../protocol/suites.ts';
import { applied, aServer, aTask, at, goodToml } from './client.ts';

/** A repository with the task `median`, and a suite of it that is open in an editor. */
async function opened(text: string) {
  const client = await aServer();
  const task = aTask('prepared', { 'task.toml': goodToml });
  const file = join(task, '..', '..', '..', 'suites', 'smoke.toml');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  const document = await client.open(file, text);
  const diagnostics = await client.diagnostics(document);
  const shown = diagnostics.map(({ range, message }) => [document.getText(range), message] as const);
  return { client, task, document, diagnostics, shown };
}

const good = 'title = "Smoke"\nowner = "me"\ntasks = [\n  "median",\n]\n';

describe('a suite’s file', () => {
  it('is good with keys of others, links to its tasks and offers to run them', async () => {
    const { client, document, task, shown } = await opened(good);
    expect(shown).toEqual([]);
    expect(await client.links(document)).toMatchObject([{ target: expect.stringContaining(join(task, 'task.toml')) }]);
    expect(await client.lenses(document)).toMatchObject([
      { command: { title: 'Run', command: 'codexCoach.runSuite', arguments: [{ kind: 'suite' }] } },
    ]);
  });

  it('names tasks that are not prepared, and offers the nearest that is', async () => {
    const { client, document, diagnostics, shown } = await opened(good.replace('"median"', '"medain", "gone", "gone"'));
    expect(shown).toEqual([
      ['"medain"', 'There is no prepared task medain. Did you mean median?'],
      ['"gone"', 'There is no prepared task gone. Prepare it, or take it out.'],
      ['"gone"', 'gone is in this suite already; it runs once.'],
      ['"gone"', 'There is no prepared task gone. Prepare it, or take it out.'],
    ]);
    const [wrong] = diagnostics;
    if (wrong === undefined) throw new Error('No diagnostic.');
    expect(applied(document, (await client.actions(document, wrong))[0])).toContain('"median", "gone"');
    expect(await client.lenses(document)).toEqual([]);
  });

  it('completes names of tasks and says what its keys mean', async () => {
    const { client, document } = await opened(good.replace('"median"', '""'));
    const items = await client.complete(document, at(document, '"|"'));
    expect(items.map(({ textEdit }) => textEdit?.newText)).toEqual(['"median"']);
    const hover = await client.hover(document, at(document, 'tas|ks ='));
    expect(JSON.stringify(hover)).toContain('Names of the prepared tasks that are run together');
  });

  it('is looked at again when a suite changes', async () => {
    const { client, document, task } = await opened(good);
    const before = client.said();
    client.bus.publish(suites, 'changed', { repository: join(task, '..', '..', '..', '..') });
    await expect.poll(() => client.said(), { timeout: 5000 }).toBeGreaterThan(before);
    expect(client.lastSaid(document)).toEqual([]);
  });

  it('says what is missing', async () => {
    expect((await opened('tasks = []\n')).shown).toEqual([
      ['tasks = []', expect.stringContaining('`title` is missing: add it.')],
    ]);
  });
});
