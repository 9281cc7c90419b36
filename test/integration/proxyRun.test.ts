import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { isAlive } from '../../server/base/exec.ts';
import { programOnPath } from '../../server/base/programs.ts';
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts';
import { noteSkip } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, cliProgram, run, until } from '../world.ts';

const shell = programOnPath('curl', process.env) === null ? null : programOnPath('sh', process.env);
if (shell === null) noteSkip('proxy run', 'there is no curl or no sh on this machine');

vi.setConfig({ testTimeout: 60_000 });

/** `codex-coach proxy run` until it has printed its last line. */
async function aRunningProxy(envOf: (upstream: FakeUpstream) => NodeJS.ProcessEnv = () => ({})) {
  const upstream = await startFakeUpstream();
  onTestFinished(() => upstream.dispose());
  const home = aWorld({ COACH_UPSTREAMS: `api.openai.com=${upstream.origin}`, CODEX_HOME: temporaryDirectory() });
  const command = spawn(process.execPath, [cliProgram, 'proxy', 'run'], {
    cwd: process.cwd(),
    env: { ...home.env, ...envOf(upstream) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void command.kill('SIGKILL'));
  let printed = '';
  let said = '';
  command.stderr.on('data', chunk => {
    said += chunk;
  });
  command.stdout.on('data', chunk => {
    printed += chunk;
  });
  await until(() => /\ncurl .*\n/.test(printed), 20_000);
  return { home, upstream, command, printed, told: () => said };
}

it.skipIf(shell === null)('prints an address, an environment and a command that shows the route', async () => {
  const { upstream, printed, home } = await aRunningProxy();
  expect(printed).toMatch(/^# Recording proxy on http:\/\/127\.0\.0\.1:\d+\./);
  expect(printed).toMatch(/^export HTTPS_PROXY=http:\/\/127\.0\.0\.1:\d+$/m);
  expect(printed).toMatch(/^unset OPENAI_BASE_URL$/m);
  const curl = printed.trimEnd().split('\n').at(-1) ?? '';
  expect(JSON.parse((await run(shell ?? '', ['-c', curl], { env: home.env })).stdout)).toMatchObject({
    object: 'list',
  });
  expect(upstream.requests.map(({ url }) => url)).toEqual(['/v1/models']);
  // A bundle of curl's own would come before SSL_CERT_FILE.
  const exports = `unset CURL_CA_BUNDLE\n${printed.trimEnd().split('\n').slice(0, -2).join('\n')}\ncurl -s https://api.openai.com/v1/models`;
  expect((await run(shell ?? '', ['-c', exports], { env: home.env })).stdout).toContain('"list"');
  expect(upstream.requests).toHaveLength(2);
});

it.skipIf(shell === null)('leads the agents of a shell on to the base URLs of its environment', async () => {
  const { upstream, printed, home, command } = await aRunningProxy(({ origin }) => ({
    OPENAI_BASE_URL: `${origin}/my/v1`,
    ANTHROPIC_BASE_URL: 'https://api.anthropic.com',
  }));
  expect(printed).toMatch(/^export ANTHROPIC_BASE_URL=https:\/\/api\.anthropic\.com$/m);
  const exports = printed.trimEnd().split('\n').slice(0, -2).join('\n');
  const ask = `${exports}\ncurl -s -X POST -d '{"model":"gpt-5.5","input":[]}' $OPENAI_BASE_URL/responses`;
  await run(shell ?? '', ['-c', ask], { env: home.env });
  expect(upstream.requests.map(({ url }) => url)).toEqual(['/my/v1/responses']);
  command.kill('SIGINT');
  await once(command, 'exit');
  expect(readFileSync(home.paths.launches, 'utf8')).toContain('"launches": []');
  const { rows } = JSON.parse((await home.cli(['sessions', 'list', '--json'])).stdout) as { rows: object[] };
  expect(rows).toMatchObject([{ exchanges: 1 }]);
});

it('names what leads Codex on to the gateway of its own configuration', async () => {
  const home = temporaryDirectory();
  const { printed, upstream } = await aRunningProxy(({ origin }) => {
    writeFileSync(join(home, 'config.toml'), `openai_base_url = "${origin}/my/v1"\n`);
    return { CODEX_HOME: home };
  });
  const [, led = ''] = /^# .*: codex -c 'openai_base_url="(.*)"'$/m.exec(printed) ?? [];
  await (await fetch(`${led}/models`, { headers: { connection: 'close' } })).text();
  expect(upstream.requests.map(({ url }) => url)).toEqual(['/my/v1/models']);
});

it('ends on Ctrl-C, and the server with it when nothing else needs it', async () => {
  const { home, command } = await aRunningProxy();
  const [server] = home.processes().filter(({ command: line }) => line.includes('server.cjs'));
  command.kill('SIGINT');
  const [exitCode] = (await once(command, 'exit')) as [number | null];
  expect(exitCode).toBe(0);
  await until(() => !isAlive(server?.pid ?? -1));
});

it('is back on its port after the server was stopped, and says so', async () => {
  const { home, command, printed, told } = await aRunningProxy();
  const port = Number(/^# Recording proxy on http:\/\/127\.0\.0\.1:(\d+)/.exec(printed)?.[1]);
  for (const times of [1, 2]) {
    await home.cli(['server', 'stop']);
    await until(() => told().split(`The proxy is back on http://127.0.0.1:${port}.`).length > times, 20_000);
    const status = await home.cli(['proxy', 'status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ state: 'listening', port });
  }
  command.kill('SIGINT');
  expect((await once(command, 'exit'))[0]).toBe(0);
});

it('is not started with a budget that the running server was not started with, and others say that they go without', async () => {
  const home = aWorld();
  const limited = { env: { COACH_BUDGET_DAY_TOKENS: '10' } };
  expect(await home.cli(['proxy', 'start'])).toMatchObject({ code: 0, stderr: '' });
  const refused = await home.cli(['proxy', 'start'], limited);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('this COACH_BUDGET_DAY_TOKENS.') });
  for (const words of [['/status'], ['proxy', 'status'], ['sessions', 'list']]) {
    const told = await home.cli(words, limited);
    expect(told).toMatchObject({ code: 0, stderr: expect.stringContaining('COACH_BUDGET_DAY_TOKENS, which has no') });
  }
  expect(await home.cli(['server', 'stop'], limited)).toMatchObject({ code: 0, stderr: '' });
  await until(() => home.processes().length === 0);
  const held = await home.cli(['proxy', 'start'], limited);
  expect(held).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('may use 10 tokens') });
});

it('ends with the reason when its port was taken meanwhile', async () => {
  const { home, command, printed, told } = await aRunningProxy();
  const port = Number(/^# Recording proxy on http:\/\/127\.0\.0\.1:(\d+)/.exec(printed)?.[1]);
  const other = createServer();
  onTestFinished(() => void other.close());
  command.kill('SIGSTOP');
  await home.cli(['server', 'stop']);
  await until(() => home.processes().every(({ command: line }) => !line.includes('server.cjs')), 20_000);
  await new Promise<void>(resolve => other.listen(port, '127.0.0.1', resolve));
  const exit = once(command, 'exit');
  command.kill('SIGCONT');
  expect((await exit)[0]).toBe(1);
  expect(told()).toContain(`Port ${port}`);
});

it('leaves the server to whoever else uses it', async () => {
  const { home, command } = await aRunningProxy();
  const other = await home.connect();
  command.kill('SIGINT');
  await once(command, 'exit');
  expect(isAlive(other.info.pid)).toBe(true);
});

it('leaves nothing behind once the server was stopped, also when it was killed', async () => {
  const { home, command, printed } = await aRunningProxy(({ origin }) => ({ OPENAI_BASE_URL: `${origin}/v1` }));
  const [, url = '', old = ''] = /^export OPENAI_BASE_URL=(http:\/\/127\.0\.0\.1:(\d+)\/.*)$/m.exec(printed) ?? [];
  command.kill('SIGKILL');
  await once(command, 'exit');
  expect((await fetch(`${url}/models`, { headers: { connection: 'close' } })).status).toBe(200);
  const port = String(Number(old) === 40_123 ? 40_124 : 40_123);
  const refused = await home.cli(['proxy', 'start', '--port', port]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(`listens on port ${old} already`) });
  await home.cli(['server', 'stop']);
  await until(() => readFileSync(home.paths.launches, 'utf8').includes('"launches": []'));
  await home.cli(['proxy', 'start'], { env: { PROXY_PORT: port } });
  const status = await home.cli(['proxy', 'status', '--json'], { env: { PROXY_PORT: port } });
  expect(JSON.parse(status.stdout)).toMatchObject({ port: Number(port) });
});
