import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isAlive } from '../../server/base/exec.ts';
import { requireFeature } from '../require.ts';
import { aSampleRepository } from '../sampleRepository.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, cliProgram, until, type World } from '../world.ts';
import { aCodexWorld, quiet, unsandboxed } from './codexWorld.ts';

/** Long enough for the first request, which starts the server. */
const startMs = 30_000;

/** `codex-coach serve` on a free port, ended with the test. */
async function serve(world: World) {
  mkdirSync(world.paths.home, { recursive: true });
  const child = spawn(process.execPath, [cliProgram, 'serve', '--port', '0'], {
    env: world.env,
    // Nothing of a request may depend on where the door stands.
    cwd: temporaryDirectory(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await until(() => output.includes('curl -H') || child.exitCode !== null, startMs);
  const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? '';
  const [name = '', value = ''] = readFileSync(world.paths.httpHeaderFile, 'utf8').trim().split(': ');
  const headers = { [name]: value, 'content-type': 'application/json' };
  const asked = async (answer: Response) => {
    const body = (await answer.json()) as Record<string, unknown>;
    return { status: answer.status, body };
  };
  return {
    origin,
    headers,
    output: () => output,
    interrupt: async () => {
      child.kill('SIGINT');
      return ended;
    },
    get: async (path: string, query: Record<string, string> = {}) =>
      asked(await fetch(`${origin}/api/${path}?${new URLSearchParams(query)}`, { headers })),
    post: async (path: string, body: object) =>
      asked(await fetch(`${origin}/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })),
    events: (signal: AbortSignal) => fetch(`${origin}/api/events`, { headers, signal }),
  };
}

/** The files of a created task, without what differs from one recording to the next: names, places, times. */
function taskFiles(directory: string, repository: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  return Object.fromEntries(
    entries
      .map(entry => join(entry.parentPath, entry.name))
      .sort()
      .map(file => [
        file.slice(directory.length),
        readFileSync(file, 'utf8')
          .replaceAll(basename(directory), '<task>')
          .replaceAll(repository, '<repository>')
          .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'),
      ]),
  );
}

it('records the same task as the command line', { timeout: 120_000 }, async () => {
  const world = aWorld();
  const http = await serve(world);
  const [here, there] = [await aSampleRepository(), await aSampleRepository()];
  const work = (repository: string) => writeFileSync(join(repository, 'src', 'extra.js'), 'export const extra = 1;\n');

  expect((await http.get('tasks/check', { repository: here })).body).toMatchObject({ ready: true });
  const started = await http.post('tasks/start', { repository: here, title: 'Add extra', labels: ['small'] });
  expect(started).toMatchObject({ status: 200, body: { title: 'Add extra' } });
  const again = await http.post('tasks/start', { repository: here, title: 'Add extra' });
  expect(again).toMatchObject({ status: 409, body: { code: 'recording.active' } });
  work(here);
  const ended = await http.post('tasks/end', { repository: here, summary: 'Added.' });
  expect(ended).toMatchObject({ status: 200, body: { state: 'created' } });

  expect((await world.cli(['task', 'start', 'Add extra', '--labels', 'small'], { cwd: there })).code).toBe(0);
  work(there);
  const printed = await world.cli(['task', 'end', '--summary', 'Added.', '--json'], { cwd: there });
  const byCli = JSON.parse(printed.stdout) as { directory: string };

  const files = taskFiles(String(ended.body['directory']), here);
  expect(Object.keys(files)).toContain('/diff.patch');
  expect(files['/diff.patch']).toContain('+export const extra = 1;');
  expect(files).toEqual(taskFiles(byCli.directory, there));

  const listed = await world.cli(['task', 'list', '--json'], { cwd: here });
  expect((await http.get('tasks/list', { repository: here })).body).toEqual(JSON.parse(listed.stdout));
});

it('refuses what could hurt, and does nothing', { timeout: 120_000 }, async () => {
  const world = aWorld();
  const http = await serve(world);
  const repository = await aSampleRepository();
  expect(statSync(world.paths.httpHeaderFile).mode & 0o777).toBe(0o600);
  const start = { method: 'POST', body: JSON.stringify({ repository, title: 'x' }) };
  const plain = { 'content-type': 'application/json' };
  expect((await fetch(`${http.origin}/api/tasks/start`, { ...start, headers: plain })).status).toBe(401);
  const fromPage = { ...http.headers, origin: 'https://evil.example' };
  expect((await fetch(`${http.origin}/api/tasks/start`, { ...start, headers: fromPage })).status).toBe(403);
  expect((await http.get('tasks/recording', { repository })).body).toEqual({ recording: null });

  expect((await http.post('tasks/start', { repository: 'sample', title: 'x' })).body).toMatchObject({
    code: 'input.invalid',
    message: expect.stringContaining('absolute path'),
  });
  for (const task of ['../../..', '../../.git', '/etc', '..%2f..', 'a\0b']) {
    expect([400, 404]).toContain((await http.get('tasks/show', { repository, task })).status);
    expect((await http.post('tasks/prepare', { repository, task })).status).toBeGreaterThanOrEqual(400);
  }
  const run = { repository, tasks: ['none'], agents: [{ id: 'codex', model: 'gpt-5.5' }] };
  expect(await http.post('runs/start', run)).toMatchObject({ status: 402, body: { code: 'cost.unconfirmed' } });
  expect(await http.post('tasks/create', { repository, prompt: 'Do it.' })).toMatchObject({ status: 402 });
  expect((await http.get('runs/list')).body).toEqual({ rows: [] });
  expect(await http.get('sessions/show', { sessionId: 'none' })).toMatchObject({
    status: 404,
    body: { code: 'session.missing' },
  });
  const logs = readdirSync(world.paths.logs).filter(name => name.startsWith('http-'));
  expect(logs).toHaveLength(1);
  const log = readFileSync(join(world.paths.logs, logs[0] ?? ''), 'utf8');
  expect(log).not.toContain((http.headers['Authorization'] ?? '').slice('Bearer '.length));
});

it('goes on with a server that was killed, its events too, and ends with Ctrl-C', { timeout: 120_000 }, async () => {
  const world = aWorld();
  const http = await serve(world);
  const before = (await http.get('server/status')).body;
  const leave = new AbortController();
  onTestFinished(() => leave.abort());
  const stream = await http.events(leave.signal);
  process.kill(Number(before['pid']), 'SIGKILL');
  let after: Record<string, unknown> = {};
  await until(() => {
    void http.get('server/status').then(({ status, body }) => {
      if (status === 200) after = body;
    });
    return after['pid'] !== undefined && after['pid'] !== before['pid'];
  }, startMs);
  const repository = await aSampleRepository();
  expect((await http.post('tasks/start', { repository, title: 'After' })).status).toBe(200);
  const seen = await textUntil(stream, 'tasks.recordingChanged');
  expect(seen).toContain('"title":"After"');

  expect(await http.interrupt()).toBe(0);
  await expect(fetch(http.origin)).rejects.toThrow();
  expect((await world.cli(['server', 'status', '--json'])).stdout).toContain(`"pid": ${after['pid']}`);
});

it('ends Codex and gives the recording up when whoever asked for a task leaves', { timeout: 120_000 }, async () => {
  const bin = temporaryDirectory();
  const started = join(bin, 'started');
  const codex = join(bin, 'codex');
  writeFileSync(codex, `#!/bin/sh\necho $$ > ${started}.new && mv ${started}.new ${started}\nexec sleep 300\n`);
  chmodSync(codex, 0o755);
  const world = aWorld({ PATH: `${bin}:${process.env['PATH']}` });
  const http = await serve(world);
  const repository = await aSampleRepository();
  const leave = new AbortController();
  const asked = fetch(`${http.origin}/api/tasks/create`, {
    method: 'POST',
    headers: http.headers,
    body: JSON.stringify({ repository, prompt: 'Do it.', yes: true }),
    signal: leave.signal,
  });
  asked.catch(() => undefined);
  await until(() => existsSync(started), startMs);
  expect((await http.get('tasks/recording', { repository })).body).toMatchObject({ recording: { title: 'Do it.' } });
  leave.abort();
  await until(() => !isAlive(Number(readFileSync(started, 'utf8'))), startMs);
  await until(() => !existsSync(join(repository, '.coach', 'recording.json')), startMs);
  expect((await http.get('tasks/list', { repository })).body).toEqual({ rows: [] });
});

it('says which port is taken', { timeout: 120_000 }, async () => {
  const world = aWorld();
  const http = await serve(world);
  const second = await world.cli(['serve', '--port', new URL(http.origin).port]);
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(/^codex-coach: Port \d+ is taken .+\n {2}.+--port/);
  expect((await world.cli(['serve', '--port', 'x'])).code).toBe(2);
});

describe.skipIf(!requireFeature('sandbox'))('in a sandbox', () => {
  it('prepares, proves and runs a task, and tells of it as it happens', { timeout: 300_000 }, async () => {
    const world = aWorld();
    const http = await serve(world);
    const repository = await aSampleRepository();
    const made = await http.post('tasks/from', { repository, source: 'HEAD' });
    expect(made.status).toBe(200);
    const { id } = (made.body as { task: { id: string } }).task;
    const prepared = await http.post('tasks/prepare', { repository, task: id });
    expect(prepared).toMatchObject({ status: 200, body: { state: 'prepared' } });
    const task = String(prepared.body['id']);

    const proven = await http.post('tasks/validate', { repository, task, executor: 'local', repeats: 1, yes: true });
    expect(proven).toMatchObject({ status: 200, body: { state: 'proven' } });

    const leave = new AbortController();
    onTestFinished(() => leave.abort());
    const stream = await http.events(leave.signal);
    const params = { repository, tasks: [task], agents: [{ id: 'oracle' }], executor: 'local' };
    expect((await http.post('runs/plan', params)).body).toMatchObject({ trials: 1, mayCost: false });
    const run = await http.post('runs/start', { ...params, yes: true });
    expect(run).toMatchObject({ status: 200, body: { state: 'running' } });
    const seen = await textUntil(stream, '"state":"finished"');
    expect(seen).toContain('event: runs.progress');
    const runId = String(run.body['id']);
    const shown = await world.cli(['runs', 'show', runId, '--json']);
    const { body } = await http.get('runs/show', { runId });
    expect(body).toEqual(JSON.parse(shown.stdout));
    expect(body).toMatchObject({ trials: [{ error: null, reward: 1 }] });
    expect((await http.get('runs/compare', { runIds: runId })).status).toBe(200);
  });
});

describe.skipIf(!requireFeature('codex'))('with the real Codex', () => {
  it('makes a task of one prompt', { timeout: 120_000 }, async () => {
    const { world, repository } = await aCodexWorld();
    const http = await serve(world);
    const answer = await fetch(`${http.origin}/api/tasks/create`, {
      method: 'POST',
      headers: { ...http.headers, accept: 'text/event-stream' },
      body: JSON.stringify({
        repository,
        prompt: 'ADD src/extra.js export const extra = 1;\nSAY Added.',
        model: 'gpt-5.5',
        codexArgs: [unsandboxed, ...quiet],
        yes: true,
      }),
    });
    const seen = await answer.text();
    expect(seen).toContain('event: output\n');
    const result = /event: result\ndata: (.+)/.exec(seen)?.[1] ?? 'null';
    const task = JSON.parse(result) as { state: string; directory: string } | null;
    expect(task?.state).toBe('created');
    expect(readFileSync(join(task?.directory ?? '', 'diff.patch'), 'utf8')).toContain('+export const extra = 1;');
  });
});

/** What a stream of events says until a text has come. */
async function textUntil(stream: Response, text: string): Promise<string> {
  const decoder = new TextDecoder();
  let seen = '';
  for await (const chunk of stream.body ?? []) {
    seen += decoder.decode(chunk as Uint8Array, { stream: true });
    if (seen.includes(text) && seen.endsWith('\n\n')) return seen;
  }
  throw new Error(`The stream ended before "${text}": ${seen}`);
}
