import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { claudeRoute } from '../../../../server/agents/routes/claudeRoute.ts';
import { claudeOptions } from '../../../../server/agents/routes/claudeSettings.ts';
import type { Argv } from '../../../../server/agents/routes/ownRoute.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const gateway = 'http://127.0.0.1:4000';
const setting = (env: object) => JSON.stringify({ env });
const leading = setting({ ANTHROPIC_BASE_URL: gateway });

/** Claude Code with these files, below HOME, the working directory and the administrator's directory. */
function aClaude(files: Readonly<Record<string, string>>) {
  const root = temporaryDirectory();
  for (const name of ['home', 'work', 'managed']) mkdirSync(join(root, name));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const own = { HOME: join(root, 'home') };
  const routeOf = (argv: Argv = ['claude', '-p', 'hi'], env: NodeJS.ProcessEnv = {}) => {
    const started = { argv, env: { ...own, ...env }, cwd: join(root, 'work'), isReplayed: false };
    return claudeRoute(started, join(root, 'managed'));
  };
  return { root, routeOf };
}

/** What a command writes, and the file that it names. */
function aLaunch(env: Readonly<Record<string, string | null>>) {
  const written: unknown[] = [];
  const file = (name: string, text: string) => {
    written.push(JSON.parse(text));
    return `/launched/${name}`;
  };
  return { written, way: { env, settings: {}, file } };
}

const ours = { ANTHROPIC_BASE_URL: 'http://127.0.0.1:1/token', HTTPS_PROXY: 'http://127.0.0.1:1', ALL_PROXY: null };
const led = ['claude', '--settings', '/launched/settings.json', '-p', 'hi'];

describe('where Claude Code goes by its own settings', () => {
  it.each([
    'home/.claude.json',
    'home/.claude/settings.json',
    'work/.claude/settings.json',
    'work/.claude/settings.local.json',
  ])('is what %s says, not its environment, until the launch’s settings say otherwise', async name => {
    const { routeOf } = aClaude({ [name]: leading });
    const route = await routeOf(undefined, { ANTHROPIC_BASE_URL: 'https://api.anthropic.com' });
    expect(route.baseUrls).toEqual({ ANTHROPIC_BASE_URL: gateway });
    const { written, way } = aLaunch(ours);
    expect(await route.command(way)).toEqual({ argv: led, env: {} });
    expect(written).toEqual([{ env: { ANTHROPIC_BASE_URL: ours.ANTHROPIC_BASE_URL } }]);
  });

  it('is what the strongest of them says', async () => {
    const url = (port: number) => setting({ ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` });
    const { routeOf } = aClaude({
      'home/.claude.json': url(1),
      'home/.claude/settings.json': url(2),
      'work/.claude/settings.json': url(3),
      'work/.claude/settings.local.json': url(4),
      'work/more.json': `\uFEFF${url(5)}`,
    });
    const portUnder = async (...words: string[]) =>
      (await routeOf(['claude', ...words])).baseUrls['ANTHROPIC_BASE_URL']?.slice(-1);
    expect(await portUnder()).toBe('4');
    expect(await portUnder('--setting-sources', 'user, project')).toBe('3');
    expect(await portUnder('--setting-sources=user')).toBe('2');
    expect(await portUnder('--setting-sources=')).toBe('1');
    expect(await portUnder('--settings', 'more.json')).toBe('5');
    expect(await portUnder('--settings', url(6), `--settings=${url(7)}`)).toBe('7');
    expect(await portUnder('-p', '--', '--settings', url(6))).toBe('4');
  });

  it('is in the directory that it is told', async () => {
    const { root, routeOf } = aClaude({ 'home/.claude/settings.json': leading, 'other/settings.json': '{}' });
    const env = { CLAUDE_CONFIG_DIR: join(root, 'other') };
    expect((await routeOf(undefined, env)).baseUrls).toEqual({});
  });

  it('stays where the launch says the same, or the settings say nothing of it', async () => {
    const { routeOf } = aClaude({ 'home/.claude/settings.json': leading, 'work/.claude/settings.json': 'no JSON' });
    const { written, way } = aLaunch({ ...ours, ANTHROPIC_BASE_URL: gateway });
    expect((await (await routeOf()).command(way)).argv).toEqual(['claude', '-p', 'hi']);
    expect(written).toEqual([]);
  });
});

describe('what Claude Code’s settings put over a launch', () => {
  it('is put back, whatever its kind', async () => {
    const file = 'home/.claude/settings.json';
    const env = { HTTPS_PROXY: 'http://corp:3128', ALL_PROXY: 'socks5://corp', NO_PROXY: '*', MINE: '1', NUMBER: 5 };
    const route = await aClaude({ [file]: setting(env) }).routeOf();
    expect(route.variables).toEqual({ ...env, NUMBER: '5' });
    const { written, way } = aLaunch({ ...ours, NO_PROXY: 'localhost', NUMBER: '5' });
    await route.command(way);
    expect(written).toEqual([{ env: { HTTPS_PROXY: ours.HTTPS_PROXY, ALL_PROXY: '', NO_PROXY: 'localhost' } }]);
  });

  it('leaves the settings of the command line as they are besides', async () => {
    const { routeOf } = aClaude({ 'home/.claude/settings.json': leading });
    const own = { model: 'opus', env: { MINE: '1', HTTPS_PROXY: '' } };
    const route = await routeOf(['npx', 'claude', '-p', '--settings', JSON.stringify(own), 'hi', '--', '--settings']);
    const { written, way } = aLaunch(ours);
    expect((await route.command(way)).argv).toEqual([
      ...['npx', 'claude', '--settings', '/launched/settings.json'],
      ...['-p', 'hi', '--', '--settings'],
    ]);
    const { ANTHROPIC_BASE_URL, HTTPS_PROXY } = ours;
    expect(written).toEqual([{ ...own, env: { MINE: '1', ANTHROPIC_BASE_URL, HTTPS_PROXY } }]);
  });

  it.each(['none.json', '{ "env": '])('is not guessed where it can’t be read: %s', async given => {
    await expect(aClaude({}).routeOf(['claude', '--settings', given])).rejects.toThrow('--settings can’t be read');
  });

  it.each([
    ['managed/managed-settings.json', ['claude']],
    ['managed/managed-settings.d/10-proxy.json', ['claude']],
    ['home/.claude/remote-settings.json', ['claude']],
    ['home/.claude/settings.json', ['sh', '-c', 'claude']],
    ['home/.claude/settings.json', ['npm', 'exec', 'claude']],
  ] as const)('is refused where nothing wins over it: %s, %s', async (name, argv) => {
    const { root, routeOf } = aClaude({ [name]: leading });
    const route = await routeOf(argv);
    const message = `Claude Code can't be recorded: ${join(root, name)} sets ANTHROPIC_BASE_URL.`;
    expect(() => route.command(aLaunch(ours).way)).toThrow(message);
    expect(() => route.command(aLaunch({ ...ours, ANTHROPIC_BASE_URL: gateway }).way)).not.toThrow();
  });
});

it('says when Claude Code asks a provider that is not recorded', async () => {
  const { routeOf } = aClaude({ 'home/.claude/settings.json': setting({ CLAUDE_CODE_USE_BEDROCK: 'true' }) });
  const words = 'Claude Code asks Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK), which is not recorded.';
  expect((await routeOf()).unrecorded).toBe(words);
  expect((await aClaude({}).routeOf(undefined, { CLAUDE_CODE_USE_VERTEX: '1' })).unrecorded).toContain('Vertex');
  expect((await aClaude({}).routeOf(undefined, { CLAUDE_CODE_USE_VERTEX: '0' })).unrecorded).toBeNull();
});

it('takes no option for another’s value', () => {
  expect(claudeOptions(['--settings'])).toEqual({ settings: null, sources: null, others: [] });
  expect(claudeOptions(['-p', '--settings=', 'x'])).toEqual({ settings: null, sources: null, others: ['-p', 'x'] });
});
