import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { agentRoute, launchSecrets } from '../../../server/surfaces/cli/agentRoute.ts';
import { temporaryDirectory } from '../../temporary.ts';

const setting = 'model_providers.gw.base_url';
const url = 'http://localhost:4000/v1';
const ours = `${setting}="http://ours"`;

/** An environment whose Codex has a gateway in its own configuration. */
function aCodexEnvironment(text = `model_provider = "gw"\n[model_providers.gw]\nbase_url = "${url}"\n`) {
  const home = temporaryDirectory();
  mkdirSync(join(home, '.codex'));
  writeFileSync(join(home, '.codex', 'config.toml'), text);
  return { HOME: home };
}

/** A PATH with a Codex that only tells its options. */
function aCodexOnPath(help: string): string {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'codex'), `#!/bin/sh\n[ "$1" = --help ] && echo "${help}"\n`, { mode: 0o755 });
  return directory;
}

async function aListeningUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise(resolve => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

describe('where an agent would go by itself', () => {
  it('is what its environment names', async () => {
    const env = { ...aCodexEnvironment(), ANTHROPIC_BASE_URL: 'http://127.0.0.1:9', OPENAI_BASE_URL: '' };
    const argv = ['claude', '-c'] as const;
    const { argv: led, ...route } = await agentRoute('claude', argv, env);
    expect(route).toEqual({
      baseUrls: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' },
      settings: {},
      keyVariable: null,
    });
    expect(led({})).toBe(argv);
  });

  it('is for Codex no variable that leads nowhere', async () => {
    const live = await aListeningUrl();
    const stale = { OPENAI_BASE_URL: 'http://127.0.0.1:9', OPENAI_API_BASE: 'http://localhost:9/v1' };
    const env = { ...aCodexEnvironment(), ...stale, OPENAI_API_HOST: live, OPENAI_HOST: 'https://gateway.example' };
    const { baseUrls } = await agentRoute('codex', ['codex'], env);
    expect(baseUrls).toEqual({ OPENAI_API_HOST: live, OPENAI_HOST: 'https://gateway.example' });
  });

  it.each([
    [['/opt/bin/codex', 'exec', 'x'], 1],
    [['npx', '-y', '@openai/codex@latest', 'exec', 'x'], 3],
    [['node', 'node_modules/@openai/codex/bin/codex.js', 'exec'], 2],
    [['npm', 'exec', '--', '@openai/codex', 'exec'], 4],
    [['npm', 'exec', '@openai/codex', '--', 'exec'], 4],
  ] as const)('is changed by what Codex itself is given: %s', async (argv, begin) => {
    const route = await agentRoute('codex', argv, aCodexEnvironment());
    expect(route.settings).toEqual({ [setting]: url });
    expect(route.argv({ [setting]: 'http://ours' })).toEqual([
      ...argv.slice(0, begin),
      '-c',
      ours,
      ...argv.slice(begin),
    ]);
    expect(route.argv({})).toEqual(argv);
  });

  it.each([[['./wrapper.sh', 'exec']], [['npm', 'exec', '@openai/codex']]] as const)(
    'can’t be changed where Codex is started by something else: %s',
    async argv => {
      const route = await agentRoute('codex', argv, aCodexEnvironment());
      expect(route.argv({})).toEqual(argv);
      const message = `Codex can't be recorded: its setting ${setting} leads to http://localhost:4000.`;
      expect(() => route.argv({ [setting]: 'http://ours' })).toThrow(message);
    },
  );

  it.each([
    [['codex'], ['codex', '--no-daemon']],
    [
      ['codex', 'resume', '--last'],
      ['codex', '--no-daemon', 'resume', '--last'],
    ],
    [
      ['codex', 'what does --no-daemon do?'],
      ['codex', '--no-daemon', 'what does --no-daemon do?'],
    ],
    [['codex', '--no-daemon'], null],
    [['codex', '-m', 'gpt-5.5', 'exec', 'x'], null],
    [['sh', '-c', 'codex'], null],
  ] as const)('does without the background server that Codex shares: %s', async (argv, led) => {
    const PATH = aCodexOnPath('Options:\n  --no-daemon  Run alone');
    const route = await agentRoute('codex', argv, { ...aCodexEnvironment(''), PATH });
    expect(route.argv({})).toEqual(led ?? argv);
  });

  it('leaves a Codex as it is that has no such server', async () => {
    const route = await agentRoute('codex', ['codex'], { ...aCodexEnvironment(''), PATH: aCodexOnPath('Options:') });
    expect(route.argv({})).toEqual(['codex']);
  });

  it('shows no password on a command line', async () => {
    const env = aCodexEnvironment('openai_base_url = "http://me:secret@localhost:4000/v1"');
    const { argv } = await agentRoute('codex', ['codex'], env);
    const led = { openai_base_url: 'http://me:secret@127.0.0.1:1/token/v1' };
    expect(() => argv(led)).toThrow(/leads to http:\/\/localhost:4000\.$/);
  });
});

describe('what a launch must not have recorded', () => {
  const key = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';

  it('is what the names of its variables tell, and the key of whatever provider Codex has', () => {
    const text = '[model_providers.gw]\nenv_key = "GATEWAY"\n[model_providers.other]\nenv_key = "ELSEWHERE"\n';
    const env = { ...aCodexEnvironment(text), GATEWAY: key, ELSEWHERE: `${key}2`, MY_TOKEN: `${key}3`, PWD: `/${key}` };
    expect(launchSecrets(env, ['sh', '-c', 'codex'])).toEqual([key, `${key}2`, `${key}3`]);
    expect(launchSecrets(env)).toEqual([key, `${key}2`, `${key}3`]);
    const named = ['codex', '-c', 'model_providers.gw.env_key=PWD_OF_IT', 'exec', 'x'] as const;
    expect(launchSecrets({ ...env, PWD_OF_IT: `${key}4` }, named)).toContain(`${key}4`);
  });

  it('is known without the configuration that can’t be read', () => {
    expect(launchSecrets({ ...aCodexEnvironment('no = toml ='), GW_KEY: key })).toEqual([key]);
  });
});
