import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { remote } from '../../protocol/api.ts';
import { proxy } from '../../protocol/proxy.ts';
import { startFakeUpstream } from '../fakes/upstream.ts';
import { aWorld, cliProgram, run, until, type World } from '../world.ts';

/** One request of an agent through the world's proxy. */
async function record(world: World, session: string, prompt: string): Promise<void> {
  const upstream = await startFakeUpstream();
  const { channel } = await world.connect();
  const api = remote(proxy, channel);
  await api.start({});
  const host = 'api.openai.com';
  const launch = await api.launch({ agent: 'codex', overrides: [{ host, target: upstream.origin }] });
  const response = await fetch(`${launch.baseUrl}/responses`, {
    method: 'POST',
    headers: { 'thread-id': session, connection: 'close' },
    body: JSON.stringify({ model: 'gpt-5.5', stream: true, input: [{ role: 'user', content: prompt }] }),
  });
  await response.text();
  await api.close({ token: launch.token });
  await upstream.dispose();
}

async function json<T>(world: World, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await world.cli([...args, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

describe('sessions on the command line', { timeout: 60_000 }, () => {
  it('are exported to what only the command has: its standard output and its pipes', async () => {
    const world = aWorld();
    await record(world, 'thread-1', 'SAY The heron flies.');
    const command = `'${process.execPath}' '${cliProgram}' sessions export thread-1 --output`;
    const exported = (rest: string) =>
      run('bash', ['-c', `${command} ${rest}`], { env: world.env, cwd: world.paths.home });
    const whole = await exported('/dev/stdout');
    expect(JSON.parse(whole.stdout)).toMatchObject({ session_id: 'thread-1' });
    await exported('/dev/stdout > redirected');
    expect(readFileSync(join(world.paths.home, 'redirected'), 'utf8')).toBe(whole.stdout);
    const piped = await exported('>(cat > piped); wait $!');
    expect(piped.stdout).toMatch(/^\/dev\/fd\/\d+: [\d,]+ bytes written\n$/);
    expect(readFileSync(join(world.paths.home, 'piped'), 'utf8')).toBe(whole.stdout);
  });

  it('are listed, summed up, searched, compared, exported, repriced and deleted', async () => {
    const world = aWorld();
    expect((await world.cli(['sessions', 'list'])).stdout).toContain('No sessions here.');
    await record(world, 'thread-1', 'SAY The heron flies.');
    await record(world, 'thread-1', 'SAY The heron lands.');
    await record(world, 'thread-2', 'SAY Nothing to do with birds.');

    const { rows } = await json<{ rows: { id: string }[] }>(world, 'sessions', 'list', '--text', 'HERON');
    expect(rows.map(row => row.id)).toEqual(['thread-1']);
    expect((await world.cli(['sessions', 'summary', 'thread-1'])).stdout).toMatch(/turns +2\n +exchanges +2\n/);
    const { exchanges } = await json<{ exchanges: { id: string }[] }>(world, 'sessions', 'show', 'thread-1');
    expect((await world.cli(['sessions', 'changes', exchanges[1]?.id ?? ''])).stdout).toContain('~ user: ');
    const short = exchanges[1]?.id.slice(0, 18) ?? '';
    expect((await world.cli(['sessions', 'changes', short])).stdout).toContain('~ user: ');
    const events = await json<{ request: string; events: { text: string }[] }>(world, 'sessions', 'events', 'thread-1');
    expect(JSON.parse(events.request)).toMatchObject({ model: 'gpt-5.5', stream: true });
    expect(events.events.at(-1)?.text).toContain('response.completed');
    await expect
      .poll(async () => (await world.cli(['sessions', 'search', 'heron', 'lands'])).stdout, { timeout: 15_000 })
      .toContain('«heron» «lands»');

    for (const format of ['clean', 'atif', 'otlp', 'html']) {
      const file = join(world.paths.home, `session.${format}`);
      const argv = ['sessions', 'export', 'thread-1', '--format', format, '--output', file];
      expect((await world.cli(argv)).stdout).toMatch(/session\.\w+: [\d,]+ bytes written/);
      expect(readFileSync(file, 'utf8')).toContain('thread-1');
      expect(await world.cli(argv)).toMatchObject({ code: 2, stderr: expect.stringContaining('--force') });
    }
    const slip = join(world.paths.home, 'slip');
    expect(await world.cli(['sessions', 'export', 'thread-1', '--output', join(slip, 'a.json')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`There is no directory ${slip}.`),
    });
    expect(existsSync(slip)).toBe(false);
    const stats = await json<{ rows: unknown[] }>(world, 'stats', '--by', 'session', 'model');
    expect(stats.rows).toMatchObject([
      { session: 'thread-1', model: 'gpt-5.5', exchanges: 2, usage: { inputTokens: 2000 } },
      { session: 'thread-2', model: 'gpt-5.5', exchanges: 1, usage: { inputTokens: 1000 } },
    ]);
    expect((await world.cli(['sessions', 'today'])).stdout).toContain('Today: 3 exchanges, 3.0 k in (10 % cached)');
    expect((await world.cli(['sessions', 'reprice'])).stdout).toContain('Every cost stands as it was.');

    expect((await world.cli(['sessions', 'prune', '--session', 'thread-1'])).stdout).toContain('1 session would be');
    expect(await json(world, 'sessions', 'prune', '--session', 'thread-1', '--yes')).toMatchObject({
      sessions: 1,
      deleted: { exchanges: 2 },
    });
    expect(await world.cli(['sessions', 'show', 'thread-1'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('codex-coach sessions list'),
    });
    const database = new Database(world.paths.tracesDb, { readonly: true });
    onTestFinished(() => void database.close());
    expect(database.prepare('SELECT DISTINCT session_id FROM exchanges').pluck().all()).toEqual(['thread-2']);
  });

  it('refuse wrong options before a server is asked', async () => {
    const world = aWorld();
    for (const argv of [
      ['sessions', 'list', '--since', 'yesterday'],
      ['sessions', 'export', 'x', '--format', 'pdf'],
      ['sessions', 'export', 'x', '--format', 'otlp', '--endpoint', 'file:///etc/passwd'],
      ['stats', '--by', 'colour'],
    ]) {
      expect(await world.cli(argv)).toMatchObject({ code: 2, stderr: expect.stringContaining('--help') });
    }
    expect(world.processes()).toEqual([]);
  });

  it('are followed as they happen, over a killed server', async () => {
    const world = aWorld();
    const { info } = await world.connect();
    const child = spawn(process.execPath, [cliProgram, 'sessions', 'follow', '--json'], { env: world.env });
    onTestFinished(() => void child.kill('SIGKILL'));
    let printed = '';
    let noted = '';
    child.stdout.on('data', chunk => (printed += String(chunk)));
    child.stderr.on('data', chunk => (noted += String(chunk)));
    const seen = () =>
      printed
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line).sessionId as string);
    await until(() => noted.includes('Following'));
    await record(world, 'before', 'SAY Hi.');
    await until(() => seen().length === 1);
    process.kill(info.pid, 'SIGKILL');
    await record(world, 'after', 'SAY Hi.');
    await until(() => seen().length === 2, 20_000);
    expect(seen()).toEqual(['before', 'after']);
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGINT');
    expect({ code: await ended, noted: noted.split('\n') }).toMatchObject({ code: 0 });
  });
});
