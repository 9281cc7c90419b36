import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { basename, join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { remote } from '../../protocol/api.ts';
import { proxy } from '../../protocol/proxy.ts';
import { root } from '../../scripts/root.ts';
import { isAlive } from '../../server/base/exec.ts';
import { nodeProblem } from '../../server/base/version.ts';
import { whileConnected } from '../../server/connect.ts';
import { askAgain, LastingChannel } from '../../server/lastingChannel.ts';
import { TraceStore } from '../../server/traces/store.ts';
import { noteSkip } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, cliProgram, run, serverProgram, until } from '../world.ts';

const node20 = oldNode();
if (node20 === null) noteSkip('old Node', 'there is no Node below 22.15 on this machine');

it('starts once for several clients and outlives each of them', async () => {
  const home = aWorld();
  const [first, second] = await Promise.all([home.connect(), home.connect()]);
  expect(first.info.pid).toBe(second.info.pid);
  first.dispose();
  second.dispose();
  const third = await home.connect();
  expect(third.info.pid).toBe(first.info.pid);
  expect(third.started).toBe(false);
});

it('keeps its socket, token and home to the user alone', async () => {
  const home = aWorld();
  await home.connect();
  expect(statSync(home.paths.home).mode & 0o777).toBe(0o700);
  expect(statSync(home.paths.tokenFile).mode & 0o777).toBe(0o600);
  expect(statSync(home.paths.socket).mode & 0o777).toBe(0o600);
});

it('answers nothing before the token was shown', async () => {
  const home = aWorld();
  await home.connect();
  const socket = connect(home.paths.socket);
  const raw = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
  raw.listen();
  await expect(raw.sendRequest('coach/server/status', {})).rejects.toMatchObject({ data: { code: 'server.denied' } });
  await expect(
    raw.sendRequest('coach/server/hello', { token: 'guessed', version: '0.1.0', client: 'test' }),
  ).rejects.toMatchObject({ data: { code: 'server.denied' } });
  raw.dispose();
  socket.destroy();
});

it('loads neither TLS nor HTTP before its proxy listens', () => {
  const home = aWorld();
  const look = `require(process.argv[1]); setInterval(() => {
    if (!require('node:fs').existsSync(process.argv[2])) return;
    console.log(process.moduleLoadList.join('\\n'));
    process.exit();
  }, 20)`;
  const output = execFileSync(process.execPath, ['-e', look, serverProgram, home.paths.socket], {
    ...{ env: { ...home.env, COACH_HOME: home.paths.home }, encoding: 'utf8', timeout: 20_000 },
  });
  const loaded = output.split('\n');
  expect(loaded).toContain('NativeModule net');
  expect(loaded.filter(name => /^NativeModule (_?tls|_?https?)/.test(name))).toEqual([]);
});

it('is started again by the next client after SIGKILL, with the same database', async () => {
  const home = aWorld();
  const before = await home.connect();
  process.kill(before.info.pid, 'SIGKILL');
  await before.closed;
  const after = await home.connect();
  expect(after.info.pid).not.toBe(before.info.pid);
  expect(existsSync(home.paths.tracesDb)).toBe(true);
});

it('leaves when nothing has used it for the idle time, and takes its socket along', async () => {
  const home = aWorld({ COACH_IDLE_SECS: '1' });
  const connection = await home.connect();
  await remote(proxy, connection.channel).start({ port: 0 });
  connection.dispose();
  await until(() => !isAlive(connection.info.pid));
  expect(existsSync(home.paths.socket)).toBe(false);
});

it('gives way to a newer version and serves an older client', async () => {
  const home = aWorld();
  const old = await home.connect(olderServer());
  expect(old.info.version).toBe('0.0.1');
  const now = await home.connect();
  expect(now.info.pid).not.toBe(old.info.pid);
  expect(now.info.version).not.toBe('0.0.1');
  await until(() => !isAlive(old.info.pid));
});

it.skipIf(node20 === null)('says in one sentence that a Node is too old, and exits with 1', async () => {
  for (const script of [cliProgram, serverProgram]) {
    const outcome = await run(node20 ?? '', [script, 'sessions', 'list'], { env: {} });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
    expect(outcome.stderr).toContain('needs Node 22.15.0 or newer');
  }
});

it('refuses a port that another program has, and names the way out', async () => {
  const home = aWorld();
  const other = createServer();
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const port = (other.address() as { port: number }).port;
  const outcome = await home.cli(['proxy', 'start', '--port', String(port)]);
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain(String(port));
  expect(outcome.stderr).toContain('PROXY_PORT');
});

it('asks which Node it runs on before anything else is loaded', () => {
  expect(nodeProblem('20.20.2')).toMatch(/needs Node 22\.15\.0 or newer/);
  expect(nodeProblem('22.14.0')).not.toBeNull();
  expect(nodeProblem('22.15.0')).toBeNull();
});

it('stays with an older server while a traced agent depends on it', async () => {
  const home = aWorld();
  const old = await home.connect(olderServer());
  const upstream = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void upstream.close());
  await new Promise(resolve => upstream.once('listening', resolve));
  const target = `http://127.0.0.1:${(upstream.address() as { port: number }).port}`;
  const { port, token } = await remote(proxy, old.channel).launch({
    agent: 'codex',
    overrides: [{ host: 'api.openai.com', target }],
  });
  const agent = connect(port, '127.0.0.1');
  onTestFinished(() => void agent.destroy());
  const credentials = Buffer.from(`coach:${token}`).toString('base64');
  agent.write(
    `CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`,
  );
  await new Promise(resolve => agent.once('data', resolve));
  const now = await home.connect();
  expect(now.info.pid).toBe(old.info.pid);
});

it('leaves its place to the server that is started after its home was deleted, and its agents to themselves', async () => {
  const home = aWorld();
  const old = await home.connect();
  const upstream = createHttpServer((_request, response) => response.end('from the model')).listen(0, '127.0.0.1');
  onTestFinished(() => void upstream.close());
  await once(upstream, 'listening');
  const target = `http://127.0.0.1:${(upstream.address() as { port: number }).port}`;
  const { port, token } = await remote(proxy, old.channel).launch({
    agent: 'codex',
    overrides: [{ host: 'api.openai.com', target }],
  });
  const agent = await throughProxy(port, token);
  rmSync(home.paths.home, { recursive: true });

  const now = await home.connect();
  expect(now.info.pid).not.toBe(old.info.pid);
  expect((await remote(proxy, now.channel).start({ port })).port).toBe(port);
  await old.closed;
  agent.write('GET /v1/models HTTP/1.1\r\nHost: api.openai.com\r\n\r\n');
  expect(String((await once(agent, 'data'))[0])).toContain('from the model');
  expect(isAlive(old.info.pid)).toBe(true);

  agent.destroy();
  await until(() => !isAlive(old.info.pid));
  expect((await home.connect()).info.pid).toBe(now.info.pid);
});

it('stays while its home is only moved away for a moment', async () => {
  const home = aWorld();
  const before = await home.connect();
  renameSync(home.paths.home, `${home.paths.home}.away`);
  await new Promise(resolve => setTimeout(resolve, 2500));
  renameSync(`${home.paths.home}.away`, home.paths.home);
  expect((await home.connect()).info.pid).toBe(before.info.pid);
});

it('stores what it has recorded there when it is told to end after it has left its place', async () => {
  const home = aWorld();
  const old = await home.connect();
  const upstream = createHttpServer((_request, response) => response.write('the beginning')).listen(0, '127.0.0.1');
  onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  await once(upstream, 'listening');
  const target = `http://127.0.0.1:${(upstream.address() as { port: number }).port}`;
  const overrides = [{ host: 'api.openai.com', target }];
  const { port, token } = await remote(proxy, old.channel).launch({ agent: 'codex', overrides });
  const agent = await throughProxy(port, token);
  onTestFinished(() => void agent.destroy());
  rmSync(home.paths.home, { recursive: true });
  await home.connect();
  await old.closed;
  const body = JSON.stringify({ model: 'gpt-5.5', input: 'hello' });
  const head = `Host: api.openai.com\r\nContent-Length: ${body.length}\r\n\r\n`;
  agent.write(`POST /v1/responses HTTP/1.1\r\n${head}${body}`);
  expect(String((await once(agent, 'data'))[0])).toContain('the beginning');
  process.kill(old.info.pid, 'SIGTERM');
  await until(() => !isAlive(old.info.pid));
  const store = new TraceStore(home.paths.tracesDb);
  onTestFinished(() => store.dispose());
  expect(store.newest({ limit: 2 }).rows).toMatchObject([{ exchanges: 1 }]);
});

it('leaves its place also where its socket lies outside its home', async () => {
  const home = aWorld({}, join(temporaryDirectory(), 'long'.repeat(30)));
  const old = await home.connect();
  expect(home.paths.socket).not.toContain(home.paths.home);
  rmSync(home.paths.home, { recursive: true });
  expect((await home.connect()).info.pid).not.toBe(old.info.pid);
  await until(() => !isAlive(old.info.pid));
});

it('gives up work that waits for events when the server ends', async () => {
  const connection = await aWorld().connect();
  const waiting = whileConnected(connection, () => new Promise(() => undefined));
  process.kill(connection.info.pid, 'SIGKILL');
  await expect(waiting).rejects.toMatchObject({ code: 'server.unreachable' });
});

it('keeps serving an MCP process over the death of a server', async () => {
  const home = aWorld();
  const first = await home.connect();
  const options = { paths: home.paths, client: 'mcp', program: serverProgram, env: home.env } as const;
  const channel = new LastingChannel(options);
  onTestFinished(() => channel.dispose());
  const pid = async () => ((await channel.request('coach/server/status', {})) as { pid: number }).pid;
  expect(await pid()).toBe(first.info.pid);
  process.kill(first.info.pid, 'SIGKILL');
  await until(() => !isAlive(first.info.pid));
  // What is asked before this process has heard of the death is refused: it may have been done.
  expect(await askAgain(pid)).not.toBe(first.info.pid);
});

it('says that a server does not answer, instead of waiting for ever', async () => {
  const home = aWorld();
  const { info } = await home.connect();
  process.kill(info.pid, 'SIGSTOP');
  onTestFinished(() => void process.kill(info.pid, 'SIGCONT'));
  const outcome = await home.cli(['runs', 'list']);
  process.kill(info.pid, 'SIGCONT');
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain('No background server answers');
}, 40_000);

it('answers the short commands', async () => {
  const home = aWorld();
  expect((await home.cli(['/hello'])).stdout).toBe('Hello from Codex Coach.\n');
  expect(Number.isNaN(Date.parse((await home.cli(['/now'])).stdout.trim()))).toBe(false);
  expect((await home.cli(['/test'])).stdout).toContain('The route works.');
  expect((await home.cli(['/status'])).stdout).toMatch(/Codex Coach \d[\s\S]*Proxy listening on 127\.0\.0\.1:/);
  const environment = (await home.cli(['/env'])).stdout;
  expect(environment).toContain("export HTTPS_PROXY='http://coach:<token>@127.0.0.1:");
  expect(environment).toContain('unset OPENAI_BASE_URL');
  const { stdout } = await home.cli(['/logs']);
  expect(stdout.trim().split('\n').length).toBeLessThanOrEqual(50);
  expect(stdout).toContain('Listening.');
});

it('offers help, JSON and documented exit codes', async () => {
  const home = aWorld();
  const help = await home.cli(['--help']);
  expect(help.code).toBe(0);
  for (const word of ['sessions', 'tasks', 'runs', 'run', 'proxy', 'Exit codes']) expect(help.stdout).toContain(word);
  const list = await home.cli(['sessions', 'list', '--json']);
  expect(JSON.parse(list.stdout)).toEqual({ rows: [], next: null });
  expect((await home.cli(['sessions', 'list', '--limit', 'many'])).code).toBe(2);
  expect((await home.cli(['sessions', 'show', 'no-such-session'])).code).toBe(1);
  expect((await home.cli(['tasks', 'nonsense'])).code).toBe(2);
});

/** An agent in a tunnel to its model. */
async function throughProxy(port: number, token: string): Promise<TLSSocket> {
  const socket = connect(port, '127.0.0.1');
  const credentials = Buffer.from(`coach:${token}`).toString('base64');
  socket.write(
    `CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`,
  );
  await once(socket, 'data');
  const agent = connectTls({ socket, servername: 'api.openai.com', rejectUnauthorized: false });
  onTestFinished(() => void agent.destroy());
  await once(agent, 'secureConnect');
  return agent;
}

/** The built server, saying that it is an older version. */
function olderServer(): string {
  const dist = join(root, 'dist');
  const old = (name: string) => join(dist, `${name}-old-${process.pid}.cjs`);
  const [file, background] = [old('server'), old('background')];
  const current = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const ofNow = new RegExp(`version: ?"${current.version}"`, 'g');
  writeFileSync(background, readFileSync(join(dist, 'background.cjs'), 'utf8').replaceAll(ofNow, 'version:"0.0.1"'));
  writeFileSync(file, readFileSync(serverProgram, 'utf8').replaceAll('background.cjs', basename(background)));
  onTestFinished(() => {
    for (const each of [file, background]) rmSync(each, { force: true });
  });
  return file;
}

/** A Node below our floor: the launcher's own, where the suite was started with one. */
function oldNode(): string | null {
  const candidates = [process.env['npm_node_execpath'], '/usr/bin/node', '/usr/local/bin/node'];
  for (const candidate of candidates) {
    if (!candidate || !existsSync(candidate)) continue;
    const version = execFileSync(candidate, ['--version'], { encoding: 'utf8' });
    if (/^v(1\d|20|21)\./.test(version)) return candidate;
  }
  return null;
}
