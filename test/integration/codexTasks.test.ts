import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { root } from '../../scripts/root.ts';
import { createSampleRepository } from '../../server/tasks/sampleProject.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { cliProgram, type World } from '../world.ts';
import { aCodexWorld, codexKey, quiet, unsandboxed } from './codexWorld.ts';

describe.skipIf(!requireFeature('codex'))('tasks with the real Codex', { timeout: 90_000 }, () => {
  it('records its own task through the repo_* tools of our MCP server', async () => {
    const call = (name: string, args: object) => ({
      type: 'function_call',
      id: `fc_${name}`,
      call_id: `call_${name}`,
      status: 'completed',
      namespace: 'mcp__codex_coach',
      name,
      arguments: JSON.stringify(args),
    });
    const steps = [
      call('repo_check_readiness', {}),
      call('repo_start_task', { title: 'Add a greeting', labels: ['mcp'] }),
      {
        type: 'custom_tool_call',
        id: 'ctc_1',
        call_id: 'call_patch',
        status: 'completed',
        name: 'apply_patch',
        input:
          '*** Begin Patch\n*** Add File: src/greeting.js\n+export const greeting = () => "hello";\n*** End Patch\n',
      },
      call('repo_end_task', { summary: 'Greets.' }),
    ];
    const done = {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Done.', annotations: [] }],
    };
    const { world, repository, upstream } = await aCodexWorld({
      model: turn => turn.forced ?? [steps[turn.outputs.length] ?? done],
    });
    const outcome = await world.cli(
      ['--task', 'exec', '--json', unsandboxed, ...quiet, '-m', 'gpt-5.5', 'Add a greeting.'],
      { cwd: repository },
    );
    expect(outcome.stderr).not.toMatch(/codex-coach: (?!recorded as session )/);
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toContain('"tool":"repo_end_task"');
    expect(outcome.stdout).not.toContain('requires approval');

    const task = onlyCreatedTask(repository);
    expect(filesOf(task)).toEqual(
      expect.arrayContaining(['tb_meta.json', 'diff.patch', 'repo_info.json', 'notes.md', 'trace', 'evaluation']),
    );
    expect(readFileSync(join(task, 'diff.patch'), 'utf8')).toContain('+export const greeting');
    const meta = JSON.parse(readFileSync(join(task, 'tb_meta.json'), 'utf8')) as {
      metadata: { title: string; tags: string[] };
    };
    expect(meta.metadata).toMatchObject({ title: 'Add a greeting', tags: ['mcp'] });
    // The session attached is Codex's own conversation, known from the tool call.
    const sessionId = readFileSync(join(task, 'trace', 'session_id.txt'), 'utf8').trim();
    expect(upstream.requests.some(request => request.headers['thread-id'] === sessionId)).toBe(true);
    expect(world.processes().filter(({ command }) => command.includes(' mcp'))).toEqual([]);
    expect(readdirSync(world.paths.logs).some(name => name.startsWith('mcp-'))).toBe(true);
  });

  it('makes a task of one prompt with `task create`', async () => {
    const { world, repository } = await aCodexWorld();
    const prompt = 'ADD src/extra.js export const extra = 1;\nSAY Added.';
    const outcome = await world.cli(
      ['task', 'create', prompt, '--model', 'gpt-5.5', '--json', '--', unsandboxed, ...quiet],
      { cwd: repository },
    );
    expect(outcome.code).toBe(0);
    const task = JSON.parse(outcome.stdout) as { state: string; directory: string };
    expect(task.state).toBe('created');
    expect(readFileSync(join(task.directory, 'diff.patch'), 'utf8')).toContain('+export const extra = 1;');
    expect(JSON.parse(readFileSync(join(task.directory, 'trace', 'session_clean.json'), 'utf8'))).toMatchObject({
      agent: 'codex',
    });
  });

  it('attaches the session that `task create` itself caused, wherever Codex said it worked', async () => {
    const { world, repository } = await aCodexWorld();
    const prompt = `SHELL echo 1 > ${join(repository, 'made.txt')}\nSAY Made.`;
    const elsewhere = ['-C', temporaryDirectory(), '--skip-git-repo-check'];
    const outcome = await world.cli(
      ['task', 'create', prompt, '--model', 'gpt-5.5', '--json', '--', unsandboxed, ...quiet, ...elsewhere],
      { cwd: repository },
    );
    expect(outcome.code).toBe(0);
    expect(readFileSync(join(onlyCreatedTask(repository), 'trace', 'session_clean.json'), 'utf8')).toContain(
      'SAY Made.',
    );
  });

  it('attaches the session of Codex in a subdirectory, and none of another project that ended later', async () => {
    const { world, repository } = await aCodexWorld();
    const elsewhere = join(temporaryDirectory(), 'elsewhere');
    await createSampleRepository(elsewhere, join(root, 'media', 'sample'));
    const codex = (prompt: string, cwd: string) =>
      world.cli(['exec', '--json', unsandboxed, ...quiet, '-m', 'gpt-5.5', prompt], { cwd });
    expect((await world.cli(['task', 'start', 'Extra'], { cwd: repository })).code).toBe(0);
    expect((await codex('ADD extra.js export const extra = 1;\nSAY Added.', join(repository, 'src'))).code).toBe(0);
    expect((await codex('SAY private words of another project', elsewhere)).code).toBe(0);
    expect((await world.cli(['task', 'end'], { cwd: repository })).code).toBe(0);
    const task = onlyCreatedTask(repository);
    expect(readFileSync(join(task, 'tb_meta.json'), 'utf8')).toContain('ADD extra.js');
    expect(readFileSync(join(task, 'trace', 'session_clean.json'), 'utf8')).not.toContain('private words');
  });

  it('ends a task over MCP for a Codex that is not traced', async () => {
    const { world, repository } = await aCodexWorld();
    expect((await world.cli(['task', 'start', 'Extra'], { cwd: repository })).code).toBe(0);
    writeFileSync(join(repository, 'src', 'extra.js'), 'export const extra = 1;\n');
    const client = new Client({ name: 'test', version: '1' });
    const env = Object.fromEntries(Object.entries(world.env).filter(entry => entry[1] !== undefined));
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [cliProgram, 'mcp'],
        cwd: repository,
        env: env as Record<string, string>,
      }),
    );
    onTestFinished(() => client.close());
    const answer = await client.callTool({
      name: 'repo_end_task',
      arguments: { summary: 'By hand.' },
      _meta: { threadId: '019a0000-0000-7000-8000-000000000000' },
    });
    expect(answer.isError, JSON.stringify(answer.content)).toBeFalsy();
    expect(readFileSync(join(onlyCreatedTask(repository), 'trace', 'session_id.txt'), 'utf8')).toBe('');
  });

  it('writes no task when Codex fails, and keeps what it changed', async () => {
    const { world, repository } = await aCodexWorld({
      intercept: (request, response) => {
        if (request.method !== 'POST') return false;
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: { message: 'no such model' } }));
        return true;
      },
    });
    const outcome = await world.cli(['task', 'create', 'Do it.', '--model', 'gpt-5.5', '--', unsandboxed], {
      cwd: repository,
    });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toContain('no task was written');
    expect(existsSync(join(repository, '.coach', 'recording.json'))).toBe(false);
    expect((await world.cli(['tasks', 'list', '--json'], { cwd: repository })).stdout).toContain('"rows": []');
  });

  it('launches Codex in a clean environment and passes its exit code on', async () => {
    const { world, repository, upstream } = await aCodexWorld();
    const stale = {
      OPENAI_BASE_URL: 'http://127.0.0.1:9',
      OPENAI_API_BASE: 'http://127.0.0.1:9',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    };
    const outcome = await world.cli(['exec', unsandboxed, ...quiet, '-m', 'gpt-5.5', 'SHELL env\nSAY seen'], {
      cwd: repository,
      env: stale,
    });
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toMatch(/^codex-coach: recorded as session [\w-]+: 2 exchanges, [\d,]+ tokens, \$/m);
    const seen = JSON.stringify(upstream.requests.map(request => request.body));
    expect(seen).toContain('CODEX_CA_CERTIFICATE=');
    expect(seen).not.toContain('OPENAI_BASE_URL=');
    const refused = await world.cli(['exec', '--no-such-flag'], { cwd: repository });
    expect(refused).toMatchObject({ code: 2, stderr: expect.not.stringContaining('recorded as') });
    const other = await world.cli(['--version'], { cwd: repository });
    expect(other).toMatchObject({ code: 0, stderr: '' });
    const stats = await world.cli(['/stats']);
    expect(stats.stdout).toMatch(/gpt-5\.5/);
  });

  it('leads what Codex starts on to the base URLs of the environment, recorded, or does not start it', async () => {
    const { world, repository, upstream } = await aCodexWorld();
    const launch = (url: string) =>
      world.cli(['exec', unsandboxed, ...quiet, '-m', 'gpt-5.5', 'SHELL env\nSAY seen'], {
        cwd: repository,
        env: { OPENAI_BASE_URL: url },
      });
    expect(await launch(`${upstream.origin}/my/v1`)).toMatchObject({ code: 0 });
    const seen = JSON.stringify(upstream.requests.map(request => request.body));
    expect(seen).toMatch(/OPENAI_BASE_URL=http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/my\/v1/);
    const refused = await launch('https://10.0.0.5/v1');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("10.0.0.5 can't be recorded") });
  });

  it('runs the main job with a real key against a model host, after --yes', async () => {
    const recording = JSON.parse(readFileSync(join(root, 'media', 'sample', 'recording.json'), 'utf8')) as {
      steps: { respond: unknown[] }[];
    };
    const { world, upstream } = await aCodexWorld({
      model: turn => turn.forced ?? stepAfter(recording.steps, turn.outputs.length),
    });
    const outcome = await world.cli(['demo', '--live', '--yes', '--model', 'gpt-5.5'], {
      cwd: temporaryDirectory(),
      env: { COACH_EXECUTOR: 'local' },
    });
    expect(outcome.stderr).toBe('');
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toMatch(/codex\/gpt-5\.5 +1 +Passed +1\.00/);
    // The key went out, and nothing of it stayed here.
    const keys = new Set(
      upstream.requests.filter(request => request.method === 'POST').map(request => request.headers.authorization),
    );
    expect(keys).toEqual(new Set([`Bearer ${codexKey}`]));
    expect(filesWith(world, codexKey)).toEqual([]);
  }, 180_000);
});

/** The recorded answer that follows a number of tool outputs; a step may hold several calls. */
function stepAfter(steps: readonly { respond: unknown[] }[], outputs: number): unknown[] {
  let calls = 0;
  for (const { respond } of steps) {
    if (calls === outputs) return respond;
    calls += respond.filter(item => String((item as { type: string }).type).endsWith('_call')).length;
  }
  throw new Error(`No step after ${outputs} outputs.`);
}

function onlyCreatedTask(repository: string): string {
  const created = join(repository, '.coach', 'tasks', 'created');
  const names = readdirSync(created);
  expect(names).toHaveLength(1);
  return join(created, names[0] ?? '');
}

function filesOf(directory: string): string[] {
  return readdirSync(directory);
}

/** Files below a world's home that hold a text. */
function filesWith(world: World, text: string): string[] {
  return readdirSync(world.paths.home, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(file => !file.includes('/cache/') && readFileSync(file).includes(text));
}
