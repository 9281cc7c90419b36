import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { root } from '../../scripts/root.ts';
import { createSampleRepository } from '../../server/tasks/sampleProject.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, type CliOutcome, cliProgram, containers, run, type World } from '../world.ts';

const sample = join(root, 'media', 'sample');

/** Runs a command that must fail, and compares what it could have left behind. */
async function refused(world: World, args: readonly string[], cwd: string): Promise<CliOutcome> {
  await world.connect();
  const state = () => ({
    tree: treeHash(cwd),
    processes: world.processes().map(({ pid }) => pid),
    ports: world.ports(),
    containers: containers(),
  });
  const before = state();
  const outcome = await world.cli(args, { cwd });
  expect(outcome.code).toBeGreaterThan(0);
  expect(outcome.stderr).toMatch(/^codex-coach: .+\n {2}.+/);
  expect(outcome.stderr).not.toMatch(/\n\s+at /);
  expect(state()).toEqual(before);
  return outcome;
}

it('refuses a directory that is no git repository', async () => {
  const outcome = await refused(aWorld(), ['task', 'start', 'x'], temporaryDirectory());
  expect(outcome.stderr).toMatch(/not in a git repository/);
});

it('refuses a repository without a commit', async () => {
  const directory = temporaryDirectory();
  git(directory, 'init', '--quiet');
  const outcome = await refused(aWorld(), ['task', 'start', 'x'], directory);
  expect(outcome.stderr).toMatch(/commit/);
});

it('refuses a dirty tree and says how to get a clean one', async () => {
  const directory = await aSample();
  writeFileSync(join(directory, 'README.md'), 'changed\n');
  const outcome = await refused(aWorld(), ['task', 'start', 'x'], directory);
  expect(outcome.stderr).toMatch(/commit|stash/);
});

it('says that the head is detached, and records all the same', async () => {
  const directory = await aSample();
  git(directory, 'checkout', '--quiet', '--detach');
  const world = aWorld();
  const check = await world.cli(['task', 'check'], { cwd: directory });
  expect(check.stdout).toMatch(/detached/i);
  expect((await world.cli(['task', 'start', 'x'], { cwd: directory })).code).toBe(0);
});

it('refuses commits with submodules, and repositories that are none', async () => {
  const directory = await aSample();
  const inner = await aSample();
  git(directory, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'inner');
  git(directory, 'commit', '--quiet', '-m', 'Add a submodule');
  const from = await refused(aWorld(), ['task', 'from', 'HEAD'], directory);
  expect(from.stderr).toMatch(/submodules or nested repositories: inner/);
  git(directory, 'init', '--quiet', 'another');
  const start = await refused(aWorld(), ['task', 'start', 'x'], directory);
  expect(start.stderr).toMatch(/nested repositories: another/);
});

it('refuses a port that another program has', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise(resolve => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  const outcome = await refused(aWorld(), ['proxy', 'start', '--port', String(port)], temporaryDirectory());
  expect(outcome.stderr).toContain(String(port));
});

it.skipIf(process.getuid?.() !== 0 || process.platform !== 'linux')('refuses a read-only disk as home', async () => {
  const directory = temporaryDirectory();
  const mount = join(directory, 'readonly');
  mkdirSync(mount);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', mount]);
  onTestFinished(() => void execFileSync('umount', [mount]));
  const outcome = await aWorld().cli(['sessions', 'list'], {
    cwd: directory,
    env: { COACH_HOME: join(mount, 'coach') },
  });
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toMatch(/Can't write to .+\n {2}.*COACH_HOME/);
  expect(readdirSync(mount)).toEqual([]);
});

it.skipIf(process.getuid?.() !== 0 || process.platform !== 'linux')('refuses a read-only repository', async () => {
  const source = await aSample();
  const world = aWorld();
  const mount = join(temporaryDirectory(), 'readonly');
  mkdirSync(mount);
  execFileSync('mount', ['--bind', source, mount]);
  execFileSync('mount', ['-o', 'remount,ro,bind', mount]);
  onTestFinished(() => void execFileSync('umount', [mount]));
  const outcome = await refused(world, ['task', 'start', 'x'], mount);
  expect(outcome.stderr).toMatch(/write/);
  expect(existsSync(join(source, '.coach'))).toBe(false);
});

it.each([
  ['COACH_IDLE_SECS', '0'],
  ['COACH_BUDGET_DAY_TOKENS', '-1'],
  ['PROXY_PORT', 'abc'],
])('refuses %s=%s before anything is started', async (variable, value) => {
  const world = aWorld();
  const outcome = await world.cli(['sessions', 'list'], { cwd: temporaryDirectory(), env: { [variable]: value } });
  expect(outcome.code).toBeGreaterThan(0);
  expect(outcome.stderr).toContain(`${variable}=${value} is not usable`);
  expect(world.processes()).toEqual([]);
});

it('says why the background server can’t start', async () => {
  const world = aWorld({ COACH_UPSTREAMS: 'foo' });
  const outcome = await world.cli(['sessions', 'list'], { cwd: temporaryDirectory() });
  expect(outcome.code).toBeGreaterThan(0);
  expect(outcome.stderr).toContain('"foo" in COACH_UPSTREAMS');
  expect(world.processes()).toEqual([]);
});

it('says what to do about a database of a newer version', async () => {
  const home = temporaryDirectory();
  const world = aWorld({}, home);
  const newer = new Database(join(home, 'traces.sqlite3'));
  newer.pragma('user_version = 99');
  newer.close();
  const outcome = await world.cli(['sessions', 'list'], { cwd: temporaryDirectory() });
  expect(outcome.code).toBeGreaterThan(0);
  expect(outcome.stderr).toContain('written by a newer Codex Coach (schema 99');
  expect(outcome.stderr).toContain('Update Codex Coach, or set COACH_HOME');
});

it.each([
  ['COACH_BUDGET_SESSION_TOKENS', '3000'],
  ['COACH_UPSTREAMS', 'api.openai.com=http://127.0.0.1:9'],
])('starts no agent with a %s that the running server was not started with', async (variable, value) => {
  const world = aWorld();
  await world.connect();
  const options = { cwd: temporaryDirectory(), env: { [variable]: value } };
  for (const args of [
    ['trace', '--', 'true'],
    ['trace', '--quiet', '--', 'true'],
    ['codex', '--version'],
    ['proxy', 'run'],
  ]) {
    const outcome = await world.cli(args, options);
    expect(outcome.code).toBeGreaterThan(0);
    expect(outcome.stderr).toContain(`not started with this ${variable}`);
    expect(outcome.stderr).toContain('codex-coach server stop');
  }
});

it.each([
  [['sessions', 'list', '--foo', '--json'], "Unknown option '--foo'.", 'codex-coach sessions list --help'],
  [['session', 'show', '--json'], "Missing required argument 'session-id'.", 'codex-coach session show --help'],
  [['sessions', 'lst', '--json'], "Unknown command 'lst' (Did you mean list?)", 'codex-coach sessions --help'],
  [['proxy', '--json'], 'A command is missing after codex-coach proxy.', 'codex-coach proxy --help'],
])('answers %j with JSON, as it is asked for', async (args, message, command) => {
  const world = aWorld();
  const outcome = await world.cli(args, { cwd: temporaryDirectory() });
  expect(outcome).toMatchObject({ code: 2, stderr: '' });
  expect(JSON.parse(outcome.stdout)).toEqual({ error: { code: 'input.invalid', message, hint: `See: ${command}` } });
});

it('takes no word for a prompt that was meant for itself', async () => {
  const world = aWorld();
  const outcome = await world.cli(['status'], { cwd: temporaryDirectory() });
  expect(outcome.code).toBe(2);
  expect(outcome.stderr).toContain('Did you mean codex-coach /status?');
  expect(world.processes()).toEqual([]);
});

it('starts nothing for what it is not asked for', async () => {
  const world = aWorld();
  const stop = await world.cli(['server', 'stop'], { cwd: temporaryDirectory() });
  expect(stop).toMatchObject({ code: 0, stdout: 'No background server runs.\n' });
  const slash = await world.cli(['/stat'], { cwd: temporaryDirectory() });
  expect(slash.code).toBe(2);
  expect(slash.stderr).toContain('codex-coach codex /stat');
  expect(world.processes()).toEqual([]);
});

it('says that the directory it is started in is gone', async () => {
  const gone = temporaryDirectory();
  const script = 'rmdir "$PWD" && exec "$@"';
  const outcome = await run('sh', ['-c', script, 'sh', process.execPath, cliProgram, 'sessions', 'list'], {
    env: process.env,
    cwd: gone,
  });
  expect(outcome).toMatchObject({ code: 1, stdout: '' });
  expect(outcome.stderr).toMatch(/^The current directory is gone\. Go to one that is there, such as: cd ~\n$/);
});

it('ends without a word when nobody reads its output any more', async () => {
  const world = aWorld();
  await world.connect();
  const pipe = `"$0" "$1" sessions list --help | head -c 1; "$0" "$1" /env | head -c 1; exit "\${PIPESTATUS[0]}"`;
  const outcome = await run('bash', ['-c', pipe, process.execPath, cliProgram], { env: world.env });
  expect(outcome.stderr).toBe('');
});

it('says that no Codex is there and how to get one', async () => {
  const world = aWorld();
  const bare = join(temporaryDirectory(), 'bin');
  mkdirSync(bare);
  await world.connect();
  const outcome = await world.cli(['exec', 'hello'], { cwd: temporaryDirectory(), env: { PATH: bare } });
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain('codex-coach agents install codex');
});

it.each([
  ['task.toml', null],
  ['task.toml', 'this is = = not toml'],
  ['instruction.md', null],
  ['environment/repo.bundle', null],
  ['environment/repo.bundle', 'not a bundle'],
  ['tests/expected.json', '{'],
  ['solution/solution.patch', null],
])('refuses a task whose %s is %s', async (file, content) => {
  const directory = await aSample();
  const world = aWorld();
  const task = join(directory, '.coach', 'tasks', 'prepared', 'broken');
  await preparedTask(world, directory, task);
  if (content === null) rmSync(join(task, file));
  else writeFileSync(join(task, file), content);
  const outcome = await refused(world, ['task', 'validate', 'broken'], directory);
  expect(outcome.stderr).toContain(file.split('/').at(-1));
  const run = await refused(world, ['run', 'broken', '--agent', 'nop', '--unproven'], directory);
  expect(run.stderr).toContain(file.split('/').at(-1));
  // It is still listed, with its problem.
  const list = await world.cli(['tasks', 'list', '--json'], { cwd: directory });
  const broken = (JSON.parse(list.stdout) as { rows: { id: string; problem: string | null }[] }).rows.find(
    ({ id }) => id === 'broken',
  );
  expect(broken?.problem).not.toBeNull();
});

it('refuses a task that is not there, an unknown agent and an unknown executor', async () => {
  const directory = await aSample();
  const world = aWorld();
  expect((await refused(world, ['run', 'nowhere', '--agent', 'nop'], directory)).stderr).toContain('nowhere');
  await preparedTask(world, directory, join(directory, '.coach', 'tasks', 'prepared', 'broken'));
  expect((await refused(world, ['run', 'broken', '--unproven', '--agent', 'wizard'], directory)).stderr).toContain(
    'wizard',
  );
  expect(
    (await refused(world, ['run', 'broken', '--unproven', '--agent', 'nop', '--executor', 'moon'], directory)).stderr,
  ).toContain('moon');
});

it('refuses to run a task that is not proven, unless told to', async () => {
  const directory = await aSample();
  const world = aWorld();
  await preparedTask(world, directory, join(directory, '.coach', 'tasks', 'prepared', 'broken'));
  const outcome = await refused(world, ['run', 'broken', '--agent', 'nop'], directory);
  expect(outcome.stderr).toContain('--unproven');
});

/** A repository of the sample project. */
async function aSample(): Promise<string> {
  const directory = join(temporaryDirectory(), 'sample');
  await createSampleRepository(directory, sample);
  return directory;
}

/** Records a small change with a test through the command line, and prepares it as `broken`. */
async function preparedTask(world: World, directory: string, place: string): Promise<void> {
  const step = async (...args: string[]) => {
    const outcome = await world.cli(args, { cwd: directory });
    if (outcome.code !== 0) throw new Error(`${args.join(' ')}: ${outcome.stderr}`);
    return outcome.stdout;
  };
  await step('task', 'start', 'Export the answer');
  writeFileSync(join(directory, 'src', 'answer.js'), 'export const answer = 42;\n');
  writeFileSync(
    join(directory, 'test', 'answer.test.js'),
    "import assert from 'node:assert/strict';\nimport { test } from 'node:test';\nimport { answer } from '../src/answer.js';\n\ntest('answers', () => assert.equal(answer, 42));\n",
  );
  const created = JSON.parse(await step('task', 'end', '--json')) as { id: string };
  await step('task', 'prepare', created.id, '--name', 'broken');
  if (!existsSync(place)) throw new Error(`No prepared task at ${place}.`);
}

/** Content, names and links of a directory, git's own files too. */
function treeHash(directory: string): string {
  const hash = createHash('sha256');
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  for (const name of names.sort()) {
    hash.update(`${name}\0`);
    try {
      hash.update(readFileSync(join(directory, name)));
    } catch {
      hash.update(linkOf(join(directory, name)));
    }
  }
  return hash.digest('hex');
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function git(directory: string, ...args: string[]): void {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'init.defaultBranch=main'];
  execFileSync('git', [...identity, ...args], { cwd: directory, stdio: 'ignore' });
}
