import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type TestAgent, testAgentProgram } from '../../scripts/agentPrograms.ts';
import { chatModel, geminiModel } from '../fakes/otherDialects.ts';
import { startFakeUpstream } from '../fakes/upstream.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld } from '../world.ts';

const key = 'sk-test-of-agents-0123456789';

/** An agent whose own files lead it to a gateway without TLS; `files` by their places below the home. */
async function anAgent(agent: TestAgent, files: (gateway: string) => Record<string, object | string>) {
  const home = temporaryDirectory();
  const directory = join(home, 'work');
  mkdirSync(directory);
  const model = agent === 'gemini' ? geminiModel : chatModel;
  const made = join(directory, 'made.txt');
  const call =
    agent === 'opencode'
      ? { tool: 'write', input: { filePath: made, content: 'x\n' } }
      : { tool: 'write_file', input: { file_path: made, content: 'x\n' } };
  const gateway = await startFakeUpstream({ intercept: model({ call, answer: 'All done.' }) });
  onTestFinished(() => gateway.dispose());
  for (const [name, content] of Object.entries(files(gateway.origin))) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  const world = aWorld({ HOME: home });
  const program = testAgentProgram(agent) ?? '';
  const isScript = program.endsWith('.js');
  const command = isScript ? [process.execPath, program] : [program];
  /** Through us, and what the gateway was asked meanwhile. */
  const start = async (before: string[], args: string[], env: NodeJS.ProcessEnv) => {
    const from = gateway.requests.length;
    rmSync(made, { force: true });
    const outcome = await world.cli([...before, '--', ...command, ...args], { cwd: directory, env });
    const asked = gateway.requests.slice(from).filter(({ method }) => method === 'POST');
    const [, sessionId = ''] = /recorded as session (\S+):/.exec(outcome.stderr) ?? [];
    return { outcome, asked, sessionId };
  };
  const trace = (args: string[], env: NodeJS.ProcessEnv) =>
    start(isScript ? ['trace', '--agent', agent] : ['trace'], args, env);
  return { start, trace };
}

/** Recorded on its way to the gateway, and in a replay the gateway is not asked. */
async function expectLed(agent: Awaited<ReturnType<typeof anAgent>>, args: string[], env: NodeJS.ProcessEnv) {
  const { outcome, asked, sessionId } = await agent.trace(args, env);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  expect(asked.length).toBeGreaterThan(0);
  expect(sessionId, outcome.stderr).not.toBe('');
  const replayed = await agent.start(['replay', sessionId], args, env);
  expect(replayed.outcome, replayed.outcome.stderr).toMatchObject({ code: 0 });
  expect(replayed.asked).toEqual([]);
}

describe.skipIf(!requireFeature('qwen'))(
  'Qwen Code whose settings name a gateway and a proxy',
  { timeout: 180_000 },
  () => {
    it('is recorded', async () => {
      const model = (url: string) => ({ id: 'local', name: 'Local', envKey: 'OPENAI_API_KEY', baseUrl: `${url}/v1` });
      const settings = (url: string) => ({
        proxy: 'http://127.0.0.1:9',
        security: { auth: { selectedType: 'openai' } },
        model: { name: 'local' },
        modelProviders: { openai: [model(url)] },
      });
      const agent = await anAgent('qwen', url => ({ '.qwen/settings.json': settings(url) }));
      await expectLed(agent, ['Write made.txt', '-o', 'json', '-y'], { OPENAI_API_KEY: key });
    });
  },
);

describe.skipIf(!requireFeature('gemini'))('Gemini CLI whose files name a gateway', { timeout: 180_000 }, () => {
  it('in its .env is recorded', async () => {
    const files = (url: string) => ({
      '.gemini/.env': `GOOGLE_GEMINI_BASE_URL=${url}\n`,
      '.gemini/settings.json': {
        security: { folderTrust: { enabled: false }, auth: { selectedType: 'gemini-api-key' } },
      },
    });
    await expectLed(await anAgent('gemini', files), ['-m', 'gemini-2.5-pro', '-p', 'Write made.txt', '-y'], {
      GEMINI_API_KEY: key,
    });
  });
});

describe.skipIf(!requireFeature('opencode'))('opencode whose files name a gateway', { timeout: 180_000 }, () => {
  it('is recorded', async () => {
    const provider = (url: string) => ({
      npm: '@ai-sdk/openai-compatible',
      options: { baseURL: `${url}/v1`, apiKey: key },
      models: { m1: {} },
    });
    const files = (url: string) => ({
      '.config/opencode/opencode.json': { provider: { gw: provider(url) }, permission: 'allow' },
    });
    await expectLed(await anAgent('opencode', files), ['run', '-m', 'gw/m1', 'Write made.txt'], {
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_PURE: '1',
      npm_config_offline: 'true',
    });
  });
});
