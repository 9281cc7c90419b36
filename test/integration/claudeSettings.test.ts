import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { testAgentProgram } from '../../scripts/agentPrograms.ts';
import { messagesModel } from '../fakes/otherDialects.ts';
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld } from '../world.ts';

vi.setConfig({ testTimeout: 180_000 });

const key = 'sk-ant-test-of-settings-0123456789';
const call = { tool: 'Bash', input: { command: 'echo "at $ANTHROPIC_BASE_URL"', description: 'Tell' } };
const asksModel = ({ method, url }: FakeUpstream['requests'][number]) =>
  method === 'POST' && url.startsWith('/v1/messages');

async function aModel() {
  const model = await startFakeUpstream({ intercept: messagesModel({ call, answer: 'All done.' }) });
  onTestFinished(() => model.dispose());
  return model;
}

/** Claude Code at its own API and with a gateway that nothing but settings name; a home and a directory to work in. */
async function aClaude(env: NodeJS.ProcessEnv = {}) {
  const [api, gateway] = [await aModel(), await aModel()];
  const home = temporaryDirectory();
  const directory = join(home, 'work');
  mkdirSync(directory);
  const upstreams = { COACH_UPSTREAMS: `api.anthropic.com=${api.origin}` };
  const world = aWorld({ HOME: home, ...upstreams, ANTHROPIC_API_KEY: key, IS_SANDBOX: '1', ...env });
  const program = testAgentProgram('claude') ?? '';
  const asked = (model: FakeUpstream) => model.requests.filter(asksModel).length;
  return {
    home,
    world,
    program,
    gateway: { origin: gateway.origin, asked: () => asked(gateway) },
    api: { asked: () => asked(api) },
    /** `codex-coach <words> -- claude -p … <more>`. */
    run: (words: readonly string[], ...more: string[]) =>
      world.cli([...words, '--', program, '-p', 'Say it', '--dangerously-skip-permissions', ...more], {
        cwd: directory,
      }),
    write(name: string, variables: object) {
      mkdirSync(dirname(join(home, name)), { recursive: true });
      writeFileSync(join(home, name), JSON.stringify({ env: variables }));
    },
  };
}

const sessionOf = (stderr: string) => /recorded as session (\S+):/.exec(stderr)?.[1] ?? '';

describe.skipIf(!requireFeature('claude'))('the real Claude Code with a gateway in its own settings', () => {
  it.each(['.claude/settings.json', 'work/.claude/settings.local.json'])(
    'is recorded on the way there, by ~/%s, and replayed without it',
    async file => {
      const { world, run, write, gateway, api } = await aClaude();
      write(file, { ANTHROPIC_BASE_URL: gateway.origin });
      const traced = await run(['trace']);
      expect(traced).toMatchObject({ code: 0, stdout: expect.stringContaining('All done.') });
      expect(sessionOf(traced.stderr)).not.toBe('');
      const atGateway = gateway.asked();
      expect([atGateway > 1, api.asked()]).toEqual([true, 0]);
      expect(readdirSync(join(world.paths.home, 'launched'))).toEqual([]);

      const again = await run(['replay', sessionOf(traced.stderr)]);
      expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('All done.') });
      expect([gateway.asked(), api.asked()]).toEqual([atGateway, 0]);
    },
  );

  it('keeps what else its command line sets, and no token stands on it', async () => {
    const { run, write, gateway, home } = await aClaude();
    write('.claude/settings.json', { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' });
    const seen = join(home, 'seen');
    const hook = {
      hooks: [{ type: 'command', command: `tr '\\0' ' ' < /proc/$PPID/cmdline >> ${seen}; echo $MINE >> ${seen}` }],
    };
    const settings = {
      env: { ANTHROPIC_BASE_URL: gateway.origin, MINE: 'my-own-variable' },
      hooks: { PreToolUse: [{ matcher: 'Bash', ...hook }] },
    };
    const traced = await run(['trace'], '--settings', JSON.stringify(settings));
    expect(traced).toMatchObject({ code: 0, stderr: expect.stringContaining('recorded as session') });
    expect(gateway.asked()).toBeGreaterThan(1);
    expect(readFileSync(seen, 'utf8')).toContain('my-own-variable');
    expect(readFileSync(seen, 'utf8')).not.toMatch(/127\.0\.0\.1/);
  });

  it('is held by a spent budget', async () => {
    const { run, write, gateway } = await aClaude({ COACH_BUDGET_DAY_TOKENS: '1000' });
    write('.claude/settings.json', { ANTHROPIC_BASE_URL: gateway.origin });
    await run(['trace']);
    expect(gateway.asked()).toBeGreaterThan(0);
    const atGateway = gateway.asked();
    const held = await run(['trace']);
    expect(`${held.stdout}${held.stderr}`).toContain('budget');
    expect(gateway.asked()).toBe(atGateway);
  });

  it('is not started where nothing leads it, nor replayed where it would ask a model', async () => {
    const { world, program, write, gateway, home } = await aClaude();
    write('.claude/settings.json', { ANTHROPIC_BASE_URL: gateway.origin });
    const wrapped = ['--', 'sh', '-c', `${program} -p hi`];
    const refused = await world.cli(['trace', '--agent', 'claude', ...wrapped], { cwd: home });
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('settings.json sets ANTHROPIC_BASE_URL'),
    });
    write('.claude/settings.json', {});
    const direct = await world.cli(['trace', '--', program, '-p', 'hi'], { cwd: home });
    write('.claude/settings.json', { ANTHROPIC_BASE_URL: gateway.origin });
    const replayed = await world.cli(['replay', sessionOf(direct.stderr), ...wrapped], { cwd: home });
    expect(replayed).toMatchObject({ code: 2, stderr: expect.stringContaining('sets ANTHROPIC_BASE_URL') });
    write('.claude/settings.json', { CLAUDE_CODE_USE_BEDROCK: '1' });
    const bedrock = await world.cli(['replay', sessionOf(direct.stderr), '--', program, '-p', 'hi'], { cwd: home });
    expect(bedrock).toMatchObject({ code: 2, stderr: expect.stringContaining('Amazon Bedrock') });
    expect(gateway.asked()).toBe(0);
  });
});

describe.skipIf(!requireFeature('claude'))('the real Claude Code beside what would lead it past a launch', () => {
  it('is recorded whatever proxy and certificates its settings name, and says whose way out is not gone', async () => {
    const { run, write, api } = await aClaude();
    const dead = 'http://127.0.0.1:9';
    const proxies = { HTTPS_PROXY: dead, https_proxy: dead, ALL_PROXY: dead, NO_PROXY: '*', no_proxy: '*' };
    write('.claude/settings.json', { ...proxies, NODE_EXTRA_CA_CERTS: '/nowhere.pem', SSL_CERT_FILE: '' });
    const traced = await run(['trace']);
    expect(traced).toMatchObject({ code: 0, stderr: expect.stringContaining('recorded as session') });
    expect(traced.stderr).toContain(`not through ${dead} as the agent’s settings`);
    expect(api.asked()).toBeGreaterThan(1);
  });

  it('starts no background agents, which would ask as whoever started the first', async () => {
    const { world, program, home } = await aClaude();
    const traced = await world.cli(['trace', '--', program, '--bg', 'hi'], { cwd: join(home, 'work') });
    expect(traced.stderr).toContain('disabled by CLAUDE_CODE_DISABLE_AGENT_VIEW');
    expect(existsSync(join(home, '.claude', 'daemon.lock'))).toBe(false);
  });
});
