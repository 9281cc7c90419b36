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
