import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CoachError } from '../../../protocol/errors.ts';
import { checkoutBundle } from '../../../server/git/bundle.ts';
import { loadCreatedTask } from '../../../server/tasks/createdTask.ts';
import { taskHandlers } from '../../../server/tasks/handlers.ts';
import { aDirectory, aRepository, makeHostile, userGit, write } from '../git/aRepository.ts';
import { aCleanSession, sessionsOf, taskDeps } from './aSession.ts';
import { aCreatedTask, change, library, prompt, signal } from './aTask.ts';

const startSpec = (repository: string) => ({ repository, title: 'Subtract', notes: '', labels: [] });
const endSpec = (repository: string) => ({ repository, summary: '', labels: [] });
const filesBelow = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();

async function refusalOf(call: () => unknown): Promise<CoachError | null> {
  try {
    await call();
    return null;
  } catch (error) {
    return CoachError.from(error);
  }
}

describe('a recording under way', () => {
  const handlers = taskHandlers(taskDeps());

  it('says what it has come to, and that no test could judge it', async () => {
    const root = aRepository(library);
    const come = () => handlers.recorded({ repository: root }, signal);
    await expect(come()).rejects.toMatchObject({ code: 'recording.missing' });
    await handlers.start(startSpec(root), signal);
    expect(await come()).toEqual({ files: [], notes: [] });
    write(root, { 'src/sums.js': 'export const sums = [];\n' });
    expect(await come()).toEqual({ files: ['src/sums.js'], notes: [expect.stringContaining('no tests')] });
    write(root, { 'test/sums.test.js': 'export {};\n' });
    expect(await come()).toEqual({ files: ['src/sums.js', 'test/sums.test.js'], notes: [] });
  });
});

describe('a created task', () => {
  it('has exactly the files of the format, and their fields', async () => {
    const { root, task } = await aCreatedTask();
    expect(task).toMatchObject({
      state: 'created',
      title: 'Subtract',
      tags: ['math', 'js'],
      problem: null,
      repository: root,
    });
    expect(task.directory).toBe(join(root, '.coach', 'tasks', 'created', task.id));
    expect(filesBelow(task.directory)).toEqual([
      'diff.patch',
      'evaluation/start.bundle',
      'notes.md',
      'repo_info.json',
      'tb_meta.json',
      'trace/session_clean.json',
      'trace/session_id.txt',
    ]);
    const head = userGit(root, 'rev-parse', 'HEAD').trim();
    expect(JSON.parse(readFileSync(join(task.directory, 'tb_meta.json'), 'utf8'))).toEqual({
      task_id: task.id,
      metadata: {
        title: 'Subtract',
        tags: ['math', 'js'],
        notes: 'Some notes.',
        summary: 'Done.',
        created_at: task.createdAt,
      },
      repo: {
        git_url: null,
        branch: 'main',
        start_commit_sha: head,
        end_commit_sha: head,
        subdir: '',
        sparse_checkout: [],
      },
      lm: { instructions: prompt },
      evaluation: { rubrics: [], start_bundle: 'evaluation/start.bundle' },
    });
    expect(JSON.parse(readFileSync(join(task.directory, 'repo_info.json'), 'utf8'))).toEqual({
      branch: 'main',
      start_commit: head,
      end_commit: head,
      commits: [],
      remotes: [],
      dirty: { changed: ['src/sums.js'], untracked: ['test/subtract.test.js'] },
    });
    expect(readFileSync(join(task.directory, 'trace', 'session_id.txt'), 'utf8')).toBe('session-1\n');
    expect(readFileSync(join(task.directory, 'notes.md'), 'utf8')).toBe('# Subtract\n\nSome notes.\n\nDone.\n');
    expect(existsSync(join(root, '.coach', 'recording.json'))).toBe(false);
  });

  it('starts from the files as they were, with untracked ones, whatever was committed while recording', async () => {
    const root = aRepository(library);
    write(root, { 'scratch.txt': 'was here\n' });
    const handlers = taskHandlers(taskDeps());
    await handlers.start(startSpec(root), signal);
    write(root, change);
    userGit(root, 'add', '-A');
    userGit(root, 'commit', '-qm', 'The agent committed');
    const task = await handlers.end(endSpec(root), signal);
    const created = await loadCreatedTask(task.directory);
    const copy = aDirectory();
    await checkoutBundle(created.bundle, copy);
    expect(filesBelow(copy).filter(path => !path.startsWith('.git/'))).toEqual(
      [...Object.keys(library), 'scratch.txt'].sort(),
    );
    const detail = await handlers.show({ repository: root, task: task.id }, signal);
    expect(detail.files).toEqual(['src/sums.js', 'test/subtract.test.js']);
    expect(JSON.parse(readFileSync(join(task.directory, 'repo_info.json'), 'utf8')).commits).toHaveLength(1);
  });

  it('keeps .coach out of every diff, even when it is committed', async () => {
    const { root, handlers } = await aCreatedTask();
    userGit(root, 'add', '-A');
    userGit(root, 'commit', '-qm', 'With the task');
    await handlers.start(startSpec(root), signal);
    write(root, { 'src/more.js': '1\n', '.coach/tasks/created/x/note': 'changed' });
    const second = await handlers.end(endSpec(root), signal);
    const detail = await handlers.show({ repository: root, task: second.id }, signal);
    expect(detail.files).toEqual(['src/more.js']);
  });

  it('draws on title and notes when no session was recorded, and attaches the one asked for', async () => {
    const { task, handlers, root } = await aCreatedTask({ deps: { sessions: sessionsOf() } });
    expect((await handlers.show({ repository: root, task: task.id }, signal)).instruction).toBe(
      'Subtract\n\nSome notes.',
    );
    expect(readFileSync(join(task.directory, 'trace', 'session_id.txt'), 'utf8')).toBe('');

    const sessions = sessionsOf(aCleanSession('newest', 'b'), aCleanSession('asked for', 'a'));
    const other = taskHandlers(taskDeps({ sessions }));
    const repository = aRepository(library);
    await other.start(startSpec(repository), signal);
    write(repository, change);
    const asked = await other.end({ ...endSpec(repository), sessionId: 'a' }, signal);
    expect((await loadCreatedTask(asked.directory)).meta.lm.instructions).toBe('asked for');
  });

  it('attaches the preferred session when it was recorded, else what it would have attached without', async () => {
    const sessions = sessionsOf(aCleanSession('newest', 'b'), aCleanSession('preferred', 'a'));
    for (const [preferredSession, instruction] of [
      ['a', 'preferred'],
      ['not recorded', 'newest'],
    ]) {
      const repository = aRepository(library);
      const handlers = taskHandlers(taskDeps({ sessions }));
      await handlers.start(startSpec(repository), signal);
      write(repository, change);
      const task = await handlers.end({ ...endSpec(repository), preferredSession }, signal);
      expect((await loadCreatedTask(task.directory)).meta.lm.instructions).toBe(instruction);
    }
  });

  it('is not written when the session asked for was not recorded', async () => {
    const repository = aRepository(library);
    const handlers = taskHandlers(taskDeps());
    await handlers.start(startSpec(repository), signal);
    write(repository, change);
    expect(await refusalOf(() => handlers.end({ ...endSpec(repository), sessionId: 'x' }, signal))).not.toBeNull();
    expect(existsSync(join(repository, '.coach', 'tasks'))).toBe(false);
  });

  it('tells every window what happens', async () => {
    const events: string[] = [];
    const deps = taskDeps();
    deps.bus.subscribe(({ method }) => events.push(method));
    await aCreatedTask({ deps: { bus: deps.bus } });
    expect(events).toEqual(['coach/tasks/recordingChanged', 'coach/tasks/recordingChanged', 'coach/tasks/changed']);
  });
});

describe('a recording', () => {
  it('survives a new server', async () => {
    const root = aRepository(library);
    const deps = taskDeps();
    const started = await taskHandlers(deps).start(startSpec(root), signal);
    const restarted = taskHandlers({ ...deps });
    expect((await restarted.recording({ repository: root }, signal)).recording).toEqual(started);
    write(root, change);
    expect((await restarted.end(endSpec(root), signal)).id).toBe(started.taskId);
    expect((await restarted.recording({ repository: root }, signal)).recording).toBeNull();
  });

  it('is finished when the server died between writing the task and forgetting the recording', async () => {
    const root = aRepository(library);
    const handlers = taskHandlers(taskDeps());
    await handlers.start(startSpec(root), signal);
    const state = readFileSync(join(root, '.coach', 'recording.json'));
    write(root, change);
    const task = await handlers.end(endSpec(root), signal);
    writeFileSync(join(root, '.coach', 'recording.json'), state);
    expect(await handlers.end(endSpec(root), signal)).toEqual(task);
    expect((await handlers.list({ repository: root }, signal)).rows).toHaveLength(1);
  });

  it('can be started once at a time, and not ended or discarded without one', async () => {
    const root = aRepository(library);
    const handlers = taskHandlers(taskDeps());
    await expect(handlers.end(endSpec(root), signal)).rejects.toMatchObject({ code: 'recording.missing' });
    expect(await handlers.discard({ repository: root }, signal)).toEqual({ discarded: false });
    const starts = await Promise.allSettled([1, 2, 3].map(() => handlers.start(startSpec(root), signal)));
    expect(starts.filter(start => start.status === 'fulfilled')).toHaveLength(1);
    expect(starts.filter(start => start.status === 'rejected').map(start => start.reason.code)).toEqual([
      'recording.active',
      'recording.active',
    ]);
    expect(await handlers.discard({ repository: root }, signal)).toEqual({ discarded: true });
    expect(readdirSync(join(root, '.coach'))).toEqual(['.gitignore']);
  });

  it('goes on when nothing has changed yet, and when the change holds a secret', async () => {
    const root = aRepository(library);
    const handlers = taskHandlers(taskDeps());
    await handlers.start(startSpec(root), signal);
    await expect(handlers.end(endSpec(root), signal)).rejects.toMatchObject({ code: 'task.empty' });
    write(root, { ...change, 'src/client.js': `// a client\n\nconst key = 'sk-${'a1B2'.repeat(8)}';\n` });
    const refusal = await refusalOf(() => handlers.end(endSpec(root), signal));
    expect(refusal).toMatchObject({ code: 'task.secrets', message: expect.stringContaining('src/client.js:3') });
    expect(refusal?.message).not.toContain('a1B2');
    expect(existsSync(join(root, '.coach', 'tasks'))).toBe(false);
    write(root, { 'src/client.js': `const key = 'sk-${'a1B2'.repeat(8)}'; // codex-coach:allow-secret\n` });
    await handlers.end(endSpec(root), signal);
  });

  it('says what to do when its file is broken or its start is gone', async () => {
    const root = aRepository(library);
    const handlers = taskHandlers(taskDeps());
    await handlers.start(startSpec(root), signal);
    write(root, change);
    const elsewhere = taskHandlers(taskDeps());
    await expect(elsewhere.end(endSpec(root), signal)).rejects.toMatchObject({
      code: 'recording.missing',
      hint: expect.stringContaining('COACH_HOME'),
    });
    write(root, { '.coach/recording.json': '{"format":1}' });
    await expect(handlers.recording({ repository: root }, signal)).rejects.toMatchObject({
      code: 'task.invalid',
      hint: expect.stringContaining('discard'),
    });
    expect(await handlers.discard({ repository: root }, signal)).toEqual({ discarded: true });
  });

  it('runs nothing of a hostile repository, from start to end', async () => {
    const root = aRepository(library);
    const hostile = makeHostile(root);
    userGit(root, 'add', '.gitattributes');
    userGit(root, '-c', 'commit.gpgSign=false', 'commit', '-qm', 'Hostile');
    hostile.forget();
    const handlers = taskHandlers(taskDeps());
    await handlers.check({ repository: root, tests: false, executor: 'auto' }, signal);
    await handlers.fix({ repository: root, apply: true }, signal);
    await handlers.start(startSpec(root), signal);
    write(root, change);
    await handlers.end(endSpec(root), signal);
    expect(hostile.ran()).toEqual([]);
  });
});

describe('readiness', () => {
  const handlers = taskHandlers(taskDeps());
  const bySeverity = async (repository: string) => {
    const { ready, findings } = await handlers.check({ repository, tests: false, executor: 'auto' }, signal);
    return {
      ready,
      ...Object.fromEntries(
        findings.filter(({ severity }) => severity !== 'ok').map(({ id, severity }) => [id, severity]),
      ),
    };
  };

  it('is given for a clean repository with tests', async () => {
    expect(await bySeverity(aRepository(library))).toEqual({ ready: true });
  });

  it('warns where git does not know who makes commits', async () => {
    const root = aRepository(library);
    userGit(root, 'config', '--unset', 'user.email');
    vi.stubEnv('HOME', aDirectory());
    vi.stubEnv('XDG_CONFIG_HOME', '');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await bySeverity(root)).toEqual({ ready: true, identity: 'warning' });
  });

  it('warns of a detached head, untracked and large files, and missing tests', async () => {
    const root = aRepository({ 'a.txt': '1\n' });
    userGit(root, 'checkout', '-q', '--detach');
    write(root, { 'large.bin': Buffer.alloc(11 * 1024 * 1024), 'new.txt': 'x' });
    expect(await bySeverity(root)).toEqual({
      ready: true,
      branch: 'warning',
      untracked: 'warning',
      sizes: 'warning',
      tests: 'warning',
    });
  });

  it('names secrets by file and line, and lets a marked line pass', async () => {
    const key = `ghp_${'a1B2c3'.repeat(6)}`;
    const root = aRepository({
      'a.txt': `\ntoken ${key}\n`,
      'b.txt': `${key} # gitleaks:allow\n`,
      'c.bin': Buffer.from(`\0${key}`),
    });
    const { ready, findings } = await handlers.check({ repository: root, tests: false, executor: 'auto' }, signal);
    expect(ready).toBe(false);
    const message = findings.find(finding => finding.id === 'secrets')?.message;
    expect(message).toContain('a.txt:2');
    expect(message).not.toContain('b.txt');
    await expect(handlers.start(startSpec(root), signal)).rejects.toMatchObject({ code: 'task.secrets' });
  });

  it('mends a dirty tree by a stash, after saying so', async () => {
    const root = aRepository(library);
    write(root, { 'src/sums.js': '// half done\n', 'untracked.txt': 'stays' });
    expect(await bySeverity(root)).toMatchObject({ ready: false, changes: 'error' });
    const preview = await handlers.fix({ repository: root, apply: false }, signal);
    expect(preview.actions).toEqual([
      { id: 'changes', description: expect.stringContaining('git stash pop'), done: false },
    ]);
    expect(readFileSync(join(root, 'src/sums.js'), 'utf8')).toBe('// half done\n');
    expect((await handlers.fix({ repository: root, apply: true }, signal)).actions[0]?.done).toBe(true);
    expect(await bySeverity(root)).toEqual({ ready: true, untracked: 'warning' });
    expect(readFileSync(join(root, 'src/sums.js'), 'utf8')).toBe(library['src/sums.js']);
    userGit(root, 'stash', 'pop', '-q');
    expect(readFileSync(join(root, 'src/sums.js'), 'utf8')).toBe('// half done\n');
    expect((await handlers.fix({ repository: aRepository(library), apply: true }, signal)).actions).toEqual([]);
  });

  it('knows of changes that it put aside for as long as they wait, whatever else is stashed', async () => {
    const root = aRepository(library);
    const waiting = async () => (await handlers.putAside({ repository: root }, signal)).waiting;
    expect(await waiting()).toBe(false);
    write(root, { 'src/sums.js': '// half done\n' });
    await handlers.fix({ repository: root, apply: true }, signal);
    write(root, { 'src/sums.js': '// of the person\n' });
    userGit(root, 'stash', 'push', '-q', '--message', 'mine');
    expect(await waiting()).toBe(true);
    userGit(root, 'stash', 'drop', '-q', 'stash@{1}');
    expect(await waiting()).toBe(false);
  });

  it('stashes nothing where filters would run', async () => {
    const root = aRepository({ ...library, '.gitattributes': '*.js filter=lfs\n' });
    write(root, { 'src/sums.js': '// half done\n' });
    await expect(handlers.fix({ repository: root, apply: true }, signal)).rejects.toMatchObject({
      code: 'git.failed',
      hint: expect.stringContaining('git stash'),
    });
    expect(readFileSync(join(root, 'src/sums.js'), 'utf8')).toBe('// half done\n');
  });
});

describe('bad input', () => {
  const cases: Record<string, { make(): string; code: string }> = {
    'no repository': { make: () => aDirectory(), code: 'git.notARepository' },
    'a repository without a commit': {
      make: () => {
        const root = aDirectory();
        userGit(root, 'init', '-q');
        write(root, { 'a.txt': '1' });
        return root;
      },
      code: 'git.noCommit',
    },
    'a dirty tree': {
      make: () => {
        const root = aRepository(library);
        write(root, { 'src/sums.js': 'changed\n' });
        return root;
      },
      code: 'git.dirty',
    },
    'a nested repository': {
      make: () => {
        const root = aRepository(library);
        mkdirSync(join(root, 'inner'));
        userGit(join(root, 'inner'), 'init', '-q');
        return root;
      },
      code: 'git.submodules',
    },
  };

  for (const [name, { make, code }] of Object.entries(cases)) {
    it(`refuses to record in ${name}, with the next step, and writes nothing`, async () => {
      const directory = make();
      const state = () => filesBelow(directory).map(path => [path, readFileSync(join(directory, path), 'hex')]);
      const before = state();
      const handlers = taskHandlers(taskDeps());
      await expect(handlers.start(startSpec(directory), signal)).rejects.toMatchObject({
        code,
        hint: expect.any(String),
      });
      expect(await refusalOf(() => handlers.end(endSpec(directory), signal))).not.toBeNull();
      const { ready, findings } = await handlers.check(
        { repository: directory, tests: false, executor: 'auto' },
        signal,
      );
      expect(ready).toBe(false);
      expect(findings.some(finding => finding.severity === 'error' && finding.hint !== null)).toBe(true);
      expect(state()).toEqual(before);
    });
  }

  it('records what changes in submodules', async () => {
    const root = aRepository(library);
    userGit(root, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', aRepository(), 'inner');
    userGit(root, 'commit', '-qm', 'x');
    const handlers = taskHandlers(taskDeps());
    await handlers.start(startSpec(root), signal);
    write(root, { ...change, 'inner/a.txt': 'two\n' });
    const { findings } = await handlers.check({ repository: root, tests: false, executor: 'auto' }, signal);
    expect(findings.map(({ message }) => message)).toContain('1 submodule will be plain files of the task: inner.');
    const task = await handlers.end(endSpec(root), signal);
    const { patch } = await loadCreatedTask(task.directory);
    expect(patch.toString()).toContain('diff --git a/inner/a.txt b/inner/a.txt');
    const prepared = await handlers.prepare({ repository: root, task: task.id }, signal);
    expect(prepared.state).toBe('prepared');
  });

  it('records on a detached head', async () => {
    const root = aRepository(library);
    userGit(root, 'checkout', '-q', '--detach');
    const handlers = taskHandlers(taskDeps());
    await handlers.start(startSpec(root), signal);
    write(root, change);
    const task = await handlers.end(endSpec(root), signal);
    expect((await loadCreatedTask(task.directory)).meta.repo.branch).toBeNull();
  });

  it('lists nothing for a repository without tasks and refuses names that are paths', async () => {
    const root = aRepository(library);
    const handlers = taskHandlers(taskDeps());
    expect(await handlers.list({ repository: root }, signal)).toEqual({ rows: [] });
    for (const task of ['../x', '/etc', 'a/b', '.hidden', '']) {
      await expect(handlers.show({ repository: root, task }, signal)).rejects.toMatchObject({ code: 'input.invalid' });
    }
    await expect(handlers.show({ repository: root, task: 'missing' }, signal)).rejects.toMatchObject({
      code: 'task.missing',
    });
  });

  it('lists broken tasks with their problem', async () => {
    const { root, handlers, task } = await aCreatedTask();
    write(root, { '.coach/tasks/created/broken/tb_meta.json': '{', '.coach/tasks/prepared/odd/task.toml': 'x = [' });
    write(root, { '.coach/tasks/created/half.1234.tmp/x': '' });
    rmSync(join(task.directory, 'diff.patch'));
    const { rows } = await handlers.list({ repository: root }, signal);
    expect(Object.fromEntries(rows.map(row => [row.id, row.problem]))).toEqual({
      broken: expect.stringContaining('tb_meta.json'),
      odd: expect.stringContaining('task.toml'),
      [task.id]: expect.stringContaining('diff.patch'),
    });
  });
});
