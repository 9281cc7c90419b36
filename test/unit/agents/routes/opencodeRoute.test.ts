import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { opencodeRoute } from '../../../../server/agents/routes/opencodeRoute.ts';
import type { Argv } from '../../../../server/agents/routes/ownRoute.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const provider = (baseURL: string) => ({ npm: '@ai-sdk/openai-compatible', options: { baseURL, apiKey: 'k' } });
const noFile = () => {
  throw new Error('no file is needed');
};

/** opencode in `<home>/work/app`, with these configuration files below the home. */
function anOpencode(files: Record<string, object | string>, more: NodeJS.ProcessEnv = {}) {
  const home = temporaryDirectory();
  const cwd = join(home, 'work', 'app');
  mkdirSync(join(home, 'work', '.git'), { recursive: true });
  mkdirSync(cwd, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  const route = (...argv: Argv) =>
    opencodeRoute({ argv, env: { HOME: home, ...more }, cwd, isReplayed: false }, join(home, 'etc'));
  return { home, route };
}

const global = '.config/opencode/opencode.json';

it('reads the URLs of providers from all its files, the nearest last', async () => {
  const { route } = anOpencode(
    {
      [global]: { provider: { a: provider('https://a.example/v1'), b: provider('https://b.example/v1') } },
      'opencode.json': { provider: { above: provider('https://above.example/v1') } },
      'work/opencode.jsonc':
        '{ // of the repository\n "provider": { "b": { "options": { "baseURL": "https://b2.example" } } }, }',
      'work/app/.opencode/opencode.json': { provider: { c: { api: 'https://{env:PLACE}/c' } } },
    },
    { PLACE: 'c.example' },
  );
  const { settings } = await route('opencode', 'run', 'hi');
  expect(settings).toEqual({
    'provider.a.options.baseURL': 'https://a.example/v1',
    'provider.b.options.baseURL': 'https://b2.example',
    'provider.c.options.baseURL': 'https://c.example/c',
  });
});

it('takes the launch’s URLs by what comes before its files, and keeps what stood there', async () => {
  const own = { permission: 'allow', provider: { gw: { options: { timeout: 5 } } } };
  const { route } = anOpencode(
    { [global]: { provider: { gw: provider('http://127.0.0.1:9/v1') } } },
    { OPENCODE_CONFIG_CONTENT: JSON.stringify(own) },
  );
  const { command } = await route('opencode', 'run', 'hi');
  const led = await command({
    env: {},
    settings: { 'provider.gw.options.baseURL': 'http://127.0.0.1:1/t/v1' },
    file: noFile,
  });
  expect(led.argv).toEqual(['opencode', 'run', 'hi']);
  expect(JSON.parse(led.env['OPENCODE_CONFIG_CONTENT'] ?? '')).toEqual({
    permission: 'allow',
    provider: { gw: { options: { timeout: 5, baseURL: 'http://127.0.0.1:1/t/v1' } } },
  });
});

it('changes nothing where nothing has to be led', async () => {
  const { route } = anOpencode({ [global]: { provider: { a: provider('https://api.deepseek.com/v1') } } });
  const { command } = await route('opencode');
  expect(await command({ env: {}, settings: {}, file: noFile })).toEqual({ argv: ['opencode'], env: {} });
});

it('records the chosen one of several places on this machine, and turns the others off', async () => {
  const config = {
    model: 'ollama/llama',
    provider: {
      ollama: provider('http://127.0.0.1:11434/v1'),
      studio: provider('http://127.0.0.1:1234/v1'),
      far: provider('https://far.example'),
    },
  };
  const { route } = anOpencode({ [global]: config });
  const named = await route('opencode', 'run', '-m', 'studio/qwen', 'hi');
  expect(Object.keys(named.settings)).toEqual(['provider.studio.options.baseURL', 'provider.far.options.baseURL']);
  const led = await named.command({ env: {}, settings: {}, file: noFile });
  expect(JSON.parse(led.env['OPENCODE_CONFIG_CONTENT'] ?? '')).toMatchObject({ disabled_providers: ['ollama'] });
  expect(Object.keys((await route('opencode')).settings)).toContain('provider.ollama.options.baseURL');
  const { route: undecided } = anOpencode({ [global]: { ...config, model: undefined } });
  await expect(undecided('opencode')).rejects.toMatchObject({
    code: 'input.invalid',
    message: 'Of the providers ollama, studio, far a launch of opencode records one alone.',
  });
});

it('is not started where the machine’s own file leads it elsewhere', async () => {
  const { route, home } = anOpencode({ 'etc/opencode.json': { provider: { co: provider('https://co.example/v1') } } });
  const { command } = await route('opencode');
  expect(() => command({ env: {}, settings: {}, file: noFile })).toThrow(
    `opencode can't be recorded: ${join(home, 'etc', 'opencode.json')} leads co to https://co.example.`,
  );
});
