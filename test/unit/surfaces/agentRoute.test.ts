import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BaseUrls, OwnRoute } from '../../../server/agents/routes/ownRoute.ts';
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

function routeOf(agent: string, argv: readonly [string, ...string[]], env: NodeJS.ProcessEnv) {
  return agentRoute(agent, { argv, env, cwd: temporaryDirectory(), isReplayed: false });
}

/** The command line on which the agent takes these URLs. */
async function ledBy(route: OwnRoute, settings: BaseUrls) {
  const file = () => expect.unreachable('No file is needed.');
  return (await route.command({ env: {}, settings, file })).argv;
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
    const argv = ['cline', '-c'] as const;
    const route = await routeOf('cline', argv, env);
    expect(route).toMatchObject({
      baseUrls: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' },
      settings: {},
      keyVariable: null,
    });
    expect(await ledBy(route, {})).toBe(argv);
  });

  it.each([
    ['sh', '-c', 'cd x && codex exec "hi"'],
    ['env', 'A=1', '/opt/bin/codex'],
    ['bash', '-c', '(codex)'],
  ] as const)('is told of an agent that another command starts: %s', async (...argv) => {
    const route = await routeOf('other', argv, aCodexEnvironment());
    expect(route.unrecorded).toMatch(
      /^Codex CLI goes to http:\/\/localhost:4000 by its own model_providers\.gw\.base_url,/,
    );
    expect((await routeOf('other', argv, aCodexEnvironment(''))).unrecorded).toBeNull();
    expect((await routeOf('other', argv, aCodexEnvironment('no = toml ='))).unrecorded).toContain("can't be read");
    const known = aCodexEnvironment('openai_base_url = "https://api.openai.com/v1"');
    expect((await routeOf('other', argv, known)).unrecorded).toBeNull();
  });

  it.each([['sh', '-c', 'my-codex'], ['./codex-like', 'codexes'], ['codex-coach']] as const)(
    'is not told of an agent that no word names: %s',
    async (...argv) => {
      expect((await routeOf('other', argv, aCodexEnvironment())).unrecorded).toBeNull();
    },
  );

  it('is for Codex no variable that leads nowhere', async () => {
    const live = await aListeningUrl();
    const stale = { OPENAI_BASE_URL: 'http://127.0.0.1:9', OPENAI_API_BASE: 'http://localhost:9/v1' };
    const env = { ...aCodexEnvironment(), ...stale, OPENAI_API_HOST: live, OPENAI_HOST: 'https://gateway.example' };
    const { baseUrls } = await routeOf('codex', ['codex'], env);
    expect(baseUrls).toEqual({ OPENAI_API_HOST: live, OPENAI_HOST: 'https://gateway.example' });
  });

  it.each([
    [['/opt/bin/codex', 'exec', 'x'], 1],
    [['npx', '-y', '@openai/codex@latest', 'exec', 'x'], 3],
    [['node', 'node_modules/@openai/codex/bin/codex.js', 'exec'], 2],
    [['npm', 'exec', '--', '@openai/codex', 'exec'], 4],
    [['npm', 'exec', '@openai/codex', '--', 'exec'], 4],
  ] as const)('is changed by what Codex itself is given: %s', async (argv, begin) => {
    const route = await routeOf('codex', argv, aCodexEnvironment());
    expect(route.settings).toEqual({ [setting]: url });
    expect(await ledBy(route, { [setting]: 'http://ours' })).toEqual([
      ...argv.slice(0, begin),
      '-c',
      ours,
      ...argv.slice(begin),
    ]);
    expect(await ledBy(route, {})).toEqual(argv);
  });

  it.each([[['./wrapper.sh', 'exec']], [['npm', 'exec', '@openai/codex']]] as const)(
    'can’t be changed where Codex is started by something else: %s',
    async argv => {
      const route = await routeOf('codex', argv, aCodexEnvironment());
      expect(await ledBy(route, {})).toEqual(argv);
      const message = `Codex can't be recorded: its setting ${setting} leads to http://localhost:4000.`;
      await expect(ledBy(route, { [setting]: 'http://ours' })).rejects.toThrow(message);
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
    const route = await routeOf('codex', argv, { ...aCodexEnvironment(''), PATH });
    expect(await ledBy(route, {})).toEqual(led ?? argv);
  });

  it('leaves a Codex as it is that has no such server', async () => {
    const route = await routeOf('codex', ['codex'], { ...aCodexEnvironment(''), PATH: aCodexOnPath('Options:') });
    expect(await ledBy(route, {})).toEqual(['codex']);
  });

  it('shows no password on a command line', async () => {
    const env = aCodexEnvironment('openai_base_url = "http://me:secret@localhost:4000/v1"');
    const route = await routeOf('codex', ['codex'], env);
    const led = { openai_base_url: 'http://me:secret@127.0.0.1:1/token/v1' };
    await expect(ledBy(route, led)).rejects.toThrow(/leads to http:\/\/localhost:4000\.$/);
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
