import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { root } from '../../scripts/root.ts';
import { startFakeUpstream } from '../fakes/upstream.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld } from '../world.ts';

vi.setConfig({ testTimeout: 60_000 });

/** An agent that knows its base URL alone, and says which key it has. */
const agent = [
  process.execPath,
  '-e',
  `fetch(process.env.OPENAI_BASE_URL + '/responses', {
    method: 'POST', headers: { 'thread-id': 'mine' }, body: '{"model":"gpt-5.5","input":[]}',
  }).then(answer => answer.text()).then(() => console.log(process.env.OPENAI_API_KEY))`,
];
const key = 'sk-of-my-gateway-0123456789';

it('leads an agent to the gateway that its base URL names, recorded, or does not start it', async () => {
  const gateway = await startFakeUpstream();
  onTestFinished(() => gateway.dispose());
  const world = aWorld({ HOME: temporaryDirectory(), OPENAI_API_KEY: key });
  const trace = (url: string) => world.cli(['trace', '--', ...agent], { env: { OPENAI_BASE_URL: url } });
  const led = await trace(`${gateway.origin}/v1`);
  expect(led).toMatchObject({ code: 0, stdout: `${key}\n` });
  expect(led.stderr).toContain('recorded as session mine: 1 exchange');
  expect(gateway.requests).toMatchObject([{ url: '/v1/responses' }]);
  const refused = await trace('https://10.0.0.5/v1');
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain("OPENAI_BASE_URL=https://10.0.0.5 can't be recorded");
});

it('takes a replay that answered nothing for none', async () => {
  const world = aWorld({ HOME: temporaryDirectory() });
  const recording = join(root, 'media', 'sample', 'recording.json');
  const outcome = await world.cli(['replay', recording, '--', process.execPath, '-e', '0']);
  expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was asked of it') });
});

it('writes no secret value of an agent’s environment, whichever shell started the server', async () => {
  const gateway = await startFakeUpstream();
  onTestFinished(() => gateway.dispose());
  const home = temporaryDirectory();
  mkdirSync(join(home, '.codex'));
  writeFileSync(join(home, '.codex', 'config.toml'), '[model_providers.gw]\nenv_key = "GATEWAY"\n');
  const world = aWorld({ HOME: home, OPENAI_BASE_URL: `${gateway.origin}/v1` });
  const names = [
    'GATEWAY',
    'GW_KEY',
    'AZURE_OPENAI_KEY',
    'DB_PASSWORD',
    'MY_TOKEN',
    'LITELLM_MASTER_KEY',
    'PGPASSWORD',
  ];
  const secrets = Object.fromEntries(names.map(name => [name, randomBytes(18).toString('hex')]));
  const shown = randomBytes(18).toString('hex');
  const says = [...Object.values(secrets), shown].join(' and ');
  const body = JSON.stringify({ model: 'gpt-5.5', input: [{ role: 'user', content: `SAY ${says}` }] });
  const script = `fetch(process.env.OPENAI_BASE_URL + '/responses', {
    method: 'POST', headers: { 'thread-id': 'mine', authorization: 'Bearer ${shown}' }, body: ${JSON.stringify(body)},
  }).then(answer => answer.text())`;
  await world.cli(['proxy', 'start']);
  const led = await world.cli(['trace', '--', process.execPath, '-e', script], { env: secrets });
  expect(led.stderr).toContain('recorded as session mine: 1 exchange');
  const { stdout } = await world.cli(['sessions', 'show', 'mine']);
  expect(stdout).toContain('SAY [redacted] and [redacted]');
  await world.cli(['server', 'stop']);
  const files = readdirSync(world.paths.home, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  for (const { parentPath, name } of files) {
    const text = readFileSync(join(parentPath, name), 'latin1');
    for (const value of [...Object.values(secrets), shown]) expect(text.includes(value), name).toBe(false);
  }
});

it('lists a session where its agent was started, when the agent says nothing of it', async () => {
  const gateway = await startFakeUpstream();
  onTestFinished(() => gateway.dispose());
  const world = aWorld({ HOME: temporaryDirectory(), OPENAI_API_KEY: key, OPENAI_BASE_URL: `${gateway.origin}/v1` });
  const directory = join(temporaryDirectory(), 'shop');
  mkdirSync(directory);
  await world.cli(['trace', '--', ...agent], { cwd: directory });
  const listed = async (cwd: string) =>
    (
      JSON.parse((await world.cli(['sessions', 'list', '--repository', '.', '--json'], { cwd })).stdout) as {
        rows: { id: string; repository: string }[];
      }
    ).rows;
  expect(await listed(directory)).toMatchObject([{ id: 'mine', repository: directory }]);
  expect(await listed(temporaryDirectory())).toEqual([]);
});
