import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { parse } from 'smol-toml';
import { describe, expect, it, onTestFinished } from 'vitest';
import { takeLock } from '../../server/base/lock.ts';
import type { DoctorReport } from '../../server/setup/doctor.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, cliProgram, until, type World } from '../world.ts';

/** A HOME with these files; COACH_HOME is where it is by default. */
function aHome(files: Record<string, string> = {}, more: NodeJS.ProcessEnv = {}): { world: World; home: string } {
  const home = temporaryDirectory();
  for (const [name, content] of Object.entries(files)) put(home, name, content);
  const clean = Object.fromEntries(
    ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'CODEX_HOME', 'XDG_CONFIG_HOME', 'CLAUDE_CONFIG_DIR', 'HTTPS_PROXY'].map(
      name => [name, ''],
    ),
  );
  // No agent of this machine, but what the CLI itself needs.
  return {
    home,
    world: aWorld({ ...clean, HOME: home, PATH: dirname(process.execPath), ...more }, join(home, '.codex-coach')),
  };
}

function put(home: string, name: string, content: string): void {
  mkdirSync(dirname(join(home, name)), { recursive: true });
  writeFileSync(join(home, name), content);
}

/** Every path below a directory with its kind, permissions and content. */
function tree(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted();
  return Object.fromEntries(
    names.map(name => {
      const path = join(directory, name);
      const found = lstatSync(path);
      const mode = (found.mode & 0o7777).toString(8);
      if (found.isSymbolicLink()) return [name, `link ${readlinkSync(path)}`];
      return [
        name,
        found.isFile()
          ? `${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
          : `${mode} directory`,
      ];
    }),
  );
}

const someFiles = {
  '.codex/config.toml': '# mine\nmodel = "gpt-5.5"   # the best\n\n[mcp_servers.other]\ncommand = "o"',
  '.claude.json': '{"numStartups":3,"oauthAccount":{"id":"x"}}',
  '.gemini/settings.json': '{\r\n\t// dark\r\n\t"theme": "x",\r\n}\r\n',
  '.config/Code/User/mcp.json': '{\n    "servers": {},\n    "inputs": []\n}\n',
  '.bashrc': 'export EDITOR=vi\n',
};

describe('setup and uninstall', { timeout: 90_000 }, () => {
  it('leave a HOME as it was, byte for byte, after everything in between', async () => {
    const { world, home } = aHome(someFiles);
    chmodSync(join(home, '.claude.json'), 0o600);
    mkdirSync(join(home, '.config', 'opencode'));
    symlinkSync(join(home, '.gemini'), join(home, 'link'));
    const before = tree(home);

    const preview = await world.cli(['setup', '--dry-run'], { cwd: home });
    expect(preview.stdout).toContain('[mcp_servers.codex_coach]');
    expect(tree(home)).toEqual(before);

    const first = await world.cli(['setup', '--json'], { cwd: home });
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({
      registrations: ['codex', 'claude', 'gemini', 'opencode', 'vscode'].map(agent => ({ agent, action: 'add' })),
    });
    const registered = tree(home);
    expect(Object.keys(registered)).not.toEqual(Object.keys(before));
    expect(registered['.bashrc']).toBe(before['.bashrc']);
    expect(readFileSync(join(home, '.codex/config.toml'), 'utf8')).toContain('# the best');
    await world.cli(['setup'], { cwd: home });
    expect(tree(home)).toEqual(registered);

    await world.cli(['proxy', 'start'], { cwd: home });
    writeFileSync(world.paths.httpHeaderFile, 'what serve leaves\n');
    const refused = await world.cli(['uninstall', '--purge'], { cwd: home });
    expect(refused.code).toBe(2);
    expect(refused.stdout).toContain('traces.sqlite3');
    expect(existsSync(world.paths.tracesDb)).toBe(true);
    const planned = await world.cli(['uninstall', '--purge', '--dry-run', '--json'], { cwd: home });
    expect(JSON.parse(planned.stdout)).toMatchObject({
      dryRun: true,
      registrations: expect.arrayContaining([
        { agent: 'codex', file: join(home, '.codex/config.toml'), action: 'edit', exact: true },
      ]),
      left: [],
      purge: { remove: expect.arrayContaining([{ path: world.paths.tracesDb, sizeBytes: expect.any(Number) }]) },
    });
    expect(existsSync(world.paths.tracesDb)).toBe(true);
    const undone = await world.cli(['uninstall', '--purge', '--yes'], { cwd: home });
    expect(undone).toMatchObject({ code: 0, stderr: '' });
    expect(undone.stdout).toContain('The background server was stopped.\n');
    expect(tree(home)).toEqual(before);
    expect(world.processes()).toEqual([]);
  });

  it('keeps what others wrote after it, and the recordings without --purge', async () => {
    const { world, home } = aHome({ '.gemini/settings.json': '{}' });
    await world.cli(['setup', '--agent', 'gemini', 'codex'], { cwd: home });
    const settings = join(home, '.gemini', 'settings.json');
    const mine = JSON.parse(readFileSync(settings, 'utf8')) as { mcpServers: object; theme?: string };
    mine.theme = 'x';
    writeFileSync(settings, JSON.stringify(mine));
    await world.cli(['proxy', 'start'], { cwd: home });
    const undone = await world.cli(['uninstall', '--json'], { cwd: home });
    expect(JSON.parse(undone.stdout)).toMatchObject({ dryRun: false, registrations: [{}, {}], left: [], purge: null });
    expect(JSON.parse(readFileSync(settings, 'utf8'))).toEqual({ theme: 'x' });
    // Codex was not here: its file and directory were ours alone.
    expect(existsSync(join(home, '.codex'))).toBe(false);
    expect(existsSync(world.paths.tracesDb)).toBe(true);
  });

  it('keeps what others write while it waits for the server', async () => {
    const { world, home } = aHome({ '.claude.json': '{"numStartups":3}' });
    await world.cli(['setup', '--agent', 'claude'], { cwd: home });
    const ending = takeLock(world.paths.lockFile);
    const child = spawn(process.execPath, [cliProgram, 'uninstall'], { cwd: home, env: world.env, stdio: 'pipe' });
    await new Promise(resolve => child.stdout.once('data', resolve));
    const file = join(home, '.claude.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('3', '4').replace(/\}$/, ',"oauthAccount":{"id":"x"}}'));
    ending?.release();
    expect(await new Promise(resolve => child.on('exit', resolve))).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('{"numStartups":4,"oauthAccount":{"id":"x"}}');
  });

  it('removes nothing while another client would start the server again, and says whom to end', async () => {
    const { world, home } = aHome({ '.codex/config.toml': '' });
    await world.cli(['setup'], { cwd: home });
    const window = await world.connect();
    const refused = await world.cli(['uninstall', '--purge', '--yes'], { cwd: home });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Close VS Code windows');
    expect(readFileSync(join(home, '.codex/config.toml'), 'utf8')).toContain('codex_coach');
    expect(world.processes()).toHaveLength(1);
    window.dispose();
    expect((await world.cli(['uninstall', '--purge', '--yes'], { cwd: home })).code).toBe(0);
    expect(readdirSync(home)).toEqual(['.codex']);
  });

  it('says which file keeps our entry, and then removes nothing', async () => {
    const { world, home } = aHome({ '.codex/config.toml': 'model = "m"\n', '.gemini/settings.json': '{}' });
    await world.cli(['setup'], { cwd: home });
    const file = join(home, '.codex/config.toml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"m"', '"m'));
    const outcome = await world.cli(['uninstall', '--purge', '--yes'], { cwd: home });
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain(`${file} is left alone`);
    expect(readFileSync(join(home, '.gemini/settings.json'), 'utf8')).toBe('{}');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"m', '"m"'));
    expect((await world.cli(['uninstall', '--purge', '--yes'], { cwd: home })).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('model = "m"\n');
    expect(existsSync(world.paths.home)).toBe(false);
  });

  it('leaves a file that it can not read alone, writes nothing at all, and names the line', async () => {
    const { world, home } = aHome({ '.gemini/settings.json': '{\n  "a": oops\n}', '.codex/config.toml': '' });
    const before = tree(home);
    const outcome = await world.cli(['setup'], { cwd: home });
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain('.gemini/settings.json is left alone: line 2');
    expect(tree(home)).toEqual(before);
  });

  it('registers a command that serves our tools from any directory, without the agent’s environment', async () => {
    const { world, home } = aHome();
    await world.cli(['setup', '--agent', 'codex'], { cwd: home });
    const config = parse(readFileSync(join(home, '.codex/config.toml'), 'utf8')) as {
      mcp_servers: { codex_coach: { command: string; args: string[]; env: Record<string, string> } };
    };
    const { command, args, env } = config.mcp_servers.codex_coach;
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(
      new StdioClientTransport({ command, args, cwd: '/', env: { ...env, PATH: '/nowhere', PROXY_PORT: '0' } }),
    );
    onTestFinished(() => client.close());
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['repo_start_task', 'repo_end_task']));
  });
});

describe('doctor', { timeout: 90_000 }, () => {
  const doctor = async (world: World, cwd: string): Promise<{ code: number; report: DoctorReport; text: string }> => {
    const { code, stdout } = await world.cli(['doctor', '--json'], { cwd });
    return { code, report: JSON.parse(stdout) as DoctorReport, text: stdout };
  };
  const problems = ({ findings }: DoctorReport, home: string) =>
    findings
      .filter(({ level }) => level === 'warning' || level === 'broken')
      .map(({ level, where }) => `${level} ${where?.replace(home, '~') ?? '–'}`);

  it('finds every kind of old configuration with its line, tells no value of a key, and changes nothing', async () => {
    const secret = 'sk-canary-0123456789abcdef';
    const { world, home } = aHome({
      '.bashrc': `# OPENAI_BASE_URL=http://127.0.0.1:9\nexport HTTPS_PROXY=http://user:${secret}@127.0.0.1:9\n`,
      '.zshrc': 'export EDITOR=vi\nalias codex="codex --yolo"\n',
      '.config/fish/config.fish': 'set -gx ANTHROPIC_BASE_URL http://127.0.0.1:9\n',
      '.config/fish/functions/codex.fish': 'function codex\n  command codex $argv\nend\n',
      '.codex/config.toml': 'model_provider = "p"\n\n[model_providers.p]\nbase_url = "https://gateway.example/v1"\n',
      '.codex/.env': 'OPENAI_BASE_URL=http://127.0.0.1:9/v1\n',
      '.claude/settings.json': '{\n  "env": {\n    "https_proxy": "http://proxy.example:1"\n  }\n}\n',
      'repo/.env': `OPENAI_API_KEY=${secret}\n`,
    });
    const before = tree(home);
    const { code, report, text } = await doctor(world, join(home, 'repo'));
    expect(code).toBe(1);
    expect(problems(report, home).toSorted()).toEqual([
      'broken ~/.bashrc:2',
      'broken ~/.codex/.env:1',
      'broken ~/.config/fish/config.fish:1',
      'warning ~/.claude/settings.json:3',
      'warning ~/.codex/config.toml:4',
      'warning ~/.config/fish/functions/codex.fish:1',
      'warning ~/.zshrc:2',
    ]);
    expect(report.findings.every(({ level, fix }) => level !== 'broken' || fix !== null)).toBe(true);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ area: 'keys', level: 'ok', what: 'OPENAI_API_KEY is set.' }),
    );
    expect(text).not.toContain(secret);
    expect(tree(home)).toEqual(before);
  });

  it('finds nothing broken on a running one, and changes nothing of it', async () => {
    const { world, home } = aHome({ '.codex/config.toml': '' });
    await world.cli(['setup'], { cwd: home });
    await world.cli(['proxy', 'start'], { cwd: home });
    const names = Object.keys(tree(home));
    const { code, report } = await doctor(world, home);
    expect(problems(report, home)).toEqual([]);
    expect(code).toBe(0);
    const ok = report.findings.filter(({ level }) => level === 'ok').map(({ area }) => area);
    expect(ok).toEqual(expect.arrayContaining(['server', 'proxy', 'recording', 'certificate', 'database', 'mcp']));
    expect(Object.keys(tree(home))).toEqual(names);
    expect(report.curl).toContain(world.paths.ca);
    await world.cli(['server', 'stop'], { cwd: home });
    await until(() => world.processes().length === 0);
    const stopped = tree(home);
    expect((await doctor(world, home)).code).toBe(0);
    expect(tree(home)).toEqual(stopped);
  });

  it('finds a taken port, a damaged database, a key that others can read and tools that are gone', async () => {
    const other = createServer(socket => socket.destroy());
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const { world, home } = aHome({
      '.gemini/settings.json': '{"mcpServers":{"codex_coach":{"command":"/gone/node","args":["/gone/cli.cjs","mcp"]}}}',
    });
    await world.cli(['proxy', 'start'], { cwd: home });
    await world.cli(['server', 'stop'], { cwd: home });
    await until(() => world.processes().length === 0);
    chmodSync(join(world.paths.ca, 'ca.key'), 0o644);
    writeFileSync(
      world.paths.tracesDb,
      Buffer.concat([readFileSync(world.paths.tracesDb).subarray(0, 4096), Buffer.alloc(9000, 7)]),
    );
    const { stdout, code } = await world.cli(['doctor'], { cwd: home, env: { PROXY_PORT: String(port) } });
    expect(code).toBe(1);
    expect(stdout).toContain(`Port ${port} is taken by another program.`);
    expect(stdout).toContain('BROKEN  database: Damaged');
    expect(stdout).toContain('BROKEN  certificate: Other users');
    expect(stdout).toContain('/gone/node and /gone/cli.cjs, which is not there');
  });
});

describe('ca', { timeout: 90_000 }, () => {
  it('shows and exports the certificate, never its key, and overwrites nothing', async () => {
    const { world, home } = aHome();
    expect((await world.cli(['ca', 'show'], { cwd: home })).stderr).toContain('There is no certificate yet.');
    await world.cli(['proxy', 'start'], { cwd: home });
    const shown = await world.cli(['ca', 'show'], { cwd: home });
    expect(shown.stdout).toMatch(/SHA-256: +([0-9A-F]{2}:){31}/);
    expect(shown.stdout).toContain('api.anthropic.com');
    expect((await world.cli(['ca', 'export', 'mine.pem'], { cwd: home })).code).toBe(0);
    expect(readFileSync(join(home, 'mine.pem'), 'utf8')).toMatch(
      /^-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\n$/,
    );
    expect((await world.cli(['ca', 'export', 'mine.pem'], { cwd: home })).stderr).toContain('exists');
    await world.cli(['ca', 'export', '--bundle', 'all.pem'], { cwd: home });
    const bundle = readFileSync(join(home, 'all.pem'), 'utf8');
    expect(bundle).toContain(readFileSync(join(home, 'mine.pem'), 'utf8').trim());
    expect(bundle).not.toContain('PRIVATE');
  });
});

describe('trace', { timeout: 90_000 }, () => {
  it('passes arguments, exit code and a signal on, in a clean environment', async () => {
    const { world, home } = aHome({}, { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` });
    const script = 'echo "$1 $OPENAI_BASE_URL|$ALL_PROXY|$HTTPS_PROXY|$SSL_CERT_FILE"; exit 7';
    const outcome = await world.cli(['trace', '--', 'sh', '-c', script, 'x', '--json'], {
      cwd: home,
      env: { OPENAI_API_BASE: '', ALL_PROXY: 'http://127.0.0.1:9' },
    });
    expect(outcome.code).toBe(7);
    expect(outcome.stdout).toMatch(/^--json \|\|http:\/\/coach:[\w-]+@127\.0\.0\.1:\d+\|\S+bundle\.pem\n$/);
    expect(outcome.stderr).toContain('nothing was recorded');
    const quiet = await world.cli(['trace', '--quiet', '--', 'true'], { cwd: home });
    expect(quiet).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await world.cli(['trace', '--', 'no-such-agent'], { cwd: home })).stderr).toContain(
      'No program no-such-agent',
    );

    const child = spawn(
      process.execPath,
      [cliProgram, 'trace', '--', 'sh', '-c', 'trap "echo heard; exit 3" TERM; echo up; sleep 60 & wait'],
      {
        cwd: home,
        env: world.env,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output === 'up\n') child.kill('SIGTERM');
    });
    const code = await new Promise(resolve => child.on('exit', resolve));
    expect(code).toBe(3);
    expect(output).toBe('up\nheard\n');
  });

  it('gives the agent a key of the .env at the repository root, and says so', async () => {
    const { world, home } = aHome({ 'repo/.git/HEAD': '', 'repo/.env': 'ANTHROPIC_API_KEY=sk-ant-of-dotenv\n' });
    put(home, 'bin/claude', '#!/bin/sh\necho "$ANTHROPIC_API_KEY"\n');
    chmodSync(join(home, 'bin/claude'), 0o755);
    const outcome = await world.cli(['trace', '--', join(home, 'bin/claude')], { cwd: join(home, 'repo') });
    expect(outcome.stdout).toBe('sk-ant-of-dotenv\n');
    expect(outcome.stderr).toContain('ANTHROPIC_API_KEY of .env');
    put(home, '.claude.json', '{"oauthAccount":{}}');
    const loggedIn = await world.cli(['trace', '--', join(home, 'bin/claude')], { cwd: join(home, 'repo') });
    expect(loggedIn.stdout).toBe('\n');
  });
});
