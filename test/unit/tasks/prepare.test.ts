import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TaskProof } from '../../../protocol/tasks.ts';
import { parseJUnit } from '../../../server/bench/testReports/junit.ts';
import { checkoutBundle } from '../../../server/git/bundle.ts';
import { applyPatch } from '../../../server/git/patch.ts';
import { loadPreparedTask, writeProof } from '../../../server/tasks/format.ts';
import { requireReference } from '../../../server/tasks/reference.ts';
import { aDirectory, userGit, write } from '../git/aRepository.ts';
import { aCleanSession, sessionsOf } from './aSession.ts';
import { aCreatedTask, aPreparedTask, change, library, prompt, signal } from './aTask.ts';

const hidden = 'test/subtract.test.js > subtract "and" <more> > subtracts';
const guard = 'test/add.test.js > adds';
const proof: TaskProof = {
  ...{ reference: 1, noOp: 0, provenAt: '2025-06-01T10:00:00.000Z', executor: 'local', basis: 'tests' as const },
  ...{ checks: [], quarantined: [], base: null },
};

/** Runs the task's own test.sh on a checkout, with its places moved below a temporary directory. */
function runTests(task: string, workdir: string): { reward: string; report: string } {
  const logs = aDirectory();
  const script = readFileSync(join(task, 'tests', 'test.sh'), 'utf8');
  const moved = join(task, 'tests', 'moved.sh');
  writeFileSync(moved, script.replaceAll('/app', workdir).replaceAll('/logs/verifier', logs));
  // Within a run of node:test or vitest, node --test would report to the outer one.
  execFileSync('sh', [moved], { env: { PATH: process.env['PATH'] }, stdio: 'pipe' });
  rmSync(moved);
  return {
    reward: readFileSync(join(logs, 'reward.txt'), 'utf8').trim(),
    report: readFileSync(join(logs, 'junit.xml'), 'utf8'),
  };
}

async function checkout(task: { directory: string }): Promise<string> {
  const workdir = aDirectory();
  await checkoutBundle(join(task.directory, 'environment', 'repo.bundle'), workdir);
  return workdir;
}

describe('a prepared task', () => {
  it('is a Harbor task directory that loads', async () => {
    const { prepared, root, created } = await aPreparedTask();
    expect(prepared).toMatchObject({
      id: 'subtract',
      state: 'prepared',
      title: 'Subtract',
      proof: null,
      problem: null,
      createdAt: created.createdAt,
    });
    const files = readdirSync(prepared.directory, { recursive: true, withFileTypes: true });
    expect(
      files
        .filter(file => file.isFile())
        .map(file => join(file.parentPath, file.name).slice(prepared.directory.length + 1))
        .sort(),
    ).toEqual([
      'environment/Dockerfile',
      'environment/needs.json',
      'environment/repo.bundle',
      'instruction.md',
      'solution/solution.patch',
      'solution/solve.sh',
      'task.toml',
      'tests/expected.json',
      'tests/files/test/add.test.js',
      'tests/files/test/subtract.test.js',
      'tests/test.sh',
    ]);
    expect(await loadPreparedTask(prepared.directory)).toMatchObject({
      name: 'subtract',
      instruction: prompt,
      baseImage: 'node:24-bookworm-slim',
      workdir: '/app',
      tests: {
        root: join(prepared.directory, 'tests', 'files'),
        paths: ['test/add.test.js', 'test/subtract.test.js'],
        changed: ['test/subtract.test.js'],
      },
      verifier: {
        command:
          'node --test --test-reporter=junit --test-reporter-destination=/logs/verifier/junit.xml test/add.test.js test/subtract.test.js',
        resultFile: '/logs/verifier/junit.xml',
        failToPass: [],
        passToPass: [],
      },
      proof: null,
    });
    expect(readFileSync(join(root, '.coach', '.gitignore'), 'utf8')).toContain('/runs/');
  });

  it('starts from one commit that holds neither the solution, nor the hidden tests, nor .coach', async () => {
    const { prepared, root } = await aPreparedTask();
    const workdir = await checkout(prepared);
    expect(userGit(workdir, 'rev-list', '--all', '--count').trim()).toBe('1');
    expect(userGit(workdir, 'ls-files').trim().split('\n')).toEqual(Object.keys(library).sort());
    for (const path of Object.keys(change)) {
      const blob = userGit(root, 'hash-object', path).trim();
      expect(() => userGit(workdir, 'cat-file', '-e', blob)).toThrow();
    }
    const bytes = userGit(workdir, 'cat-file', '--batch-all-objects', '--batch');
    expect(bytes).not.toContain('subtract');
  });

  it('is solved by its reference and by nothing else, judged as our verifier judges', async () => {
    const { prepared, at } = await aPreparedTask();
    await writeProof(prepared.directory, proof, {
      failToPass: [hidden],
      passToPass: [guard],
      mustFail: [],
      exitsCleanly: true,
    });
    const task = await loadPreparedTask(prepared.directory);
    const untouched = await checkout(prepared);
    const before = runTests(prepared.directory, untouched);
    expect(before.reward).toBe('0');
    const solved = await checkout(prepared);
    await applyPatch(solved, requireReference(task));
    const after = runTests(prepared.directory, solved);
    expect(after.reward).toBe('1');
    const passed = (report: string, workdir: string) =>
      parseJUnit(report, workdir)
        ?.filter(test => test.status === 'passed')
        .map(test => test.id);
    expect(passed(before.report, untouched)).toEqual([guard]);
    expect(passed(after.report, solved)).toEqual([guard, hidden]);
    expect(readFileSync(at('solution/solution.patch'), 'utf8')).not.toContain('subtract.test.js');
  });

  it('is made by its Dockerfile and solved by solve.sh as we make and solve it', async () => {
    const { prepared, at } = await aPreparedTask({
      files: { ...library, 'crlf.txt': 'a\r\n', '.gitattributes': '* text=auto\n' },
    });
    const workdir = join(aDirectory(), 'app');
    const bundle = join(aDirectory(), 'repo.bundle');
    cpSync(at('environment/repo.bundle'), bundle);
    const inPlace = (text: string) =>
      text
        .replaceAll('/tmp/repo.bundle', bundle)
        .replaceAll('/app', workdir)
        .replaceAll('/solution/', `${at('solution')}/`);
    const commands = /^RUN (git init[\s\S]*?[^\\])\n(?=WORKDIR)/m.exec(
      readFileSync(at('environment/Dockerfile'), 'utf8'),
    )?.[1];
    const env = { PATH: process.env['PATH'], HOME: aDirectory() };
    execFileSync('sh', ['-c', inPlace(commands ?? 'false')], { env });
    expect(userGit(workdir, 'rev-parse', 'HEAD')).toBe(userGit(await checkout(prepared), 'rev-parse', 'HEAD'));
    expect(userGit(workdir, 'status', '--porcelain')).toBe('');
    expect(readFileSync(join(workdir, 'crlf.txt'), 'utf8')).toBe('a\r\n');
    expect(userGit(workdir, 'rev-list', '--all', '--count').trim()).toBe('1');
    expect(existsSync(join(workdir, '.git', 'logs'))).toBe(false);
    expect(existsSync(bundle)).toBe(false);
    execFileSync('sh', ['-c', inPlace(readFileSync(at('solution/solve.sh'), 'utf8'))], { env });
    expect(readFileSync(join(workdir, 'src/sums.js'), 'utf8')).toBe(change['src/sums.js']);
  });

  it('is not solved by deleting, weakening or adding tests', async () => {
    const { prepared } = await aPreparedTask();
    await writeProof(prepared.directory, proof, {
      failToPass: [hidden],
      passToPass: [guard],
      mustFail: [],
      exitsCleanly: true,
    });
    const workdir = await checkout(prepared);
    rmSync(join(workdir, 'test'), { recursive: true });
    write(workdir, {
      'test/add.test.js': "import test from 'node:test';\ntest('adds', () => {});\n",
      'test/fake.test.js': `import { describe, it } from 'node:test';\ndescribe('subtract "and" <more>', () => it('subtracts', () => {}));\n`,
      'src/sums.js': 'export const add = () => 0;\n',
    });
    expect(runTests(prepared.directory, workdir).reward).toBe('0');
  });

  it('scores 0 in other runners while it is not validated', async () => {
    const { prepared } = await aPreparedTask();
    const workdir = await checkout(prepared);
    expect(runTests(prepared.directory, workdir).reward).toBe('0');
  });

  it('is proven as long as its files stay as they were', async () => {
    const { prepared, root, handlers, at, created } = await aPreparedTask();
    await writeProof(prepared.directory, proof, {
      failToPass: [hidden],
      passToPass: [guard],
      mustFail: [],
      exitsCleanly: true,
    });
    const shown = await handlers.show({ repository: root, task: created.id }, signal);
    expect(shown).toMatchObject({
      task: { state: 'proven', proof, problem: null },
      failToPass: [hidden],
      passToPass: [guard],
    });
    expect(shown.files).toEqual(['src/sums.js', 'test/subtract.test.js']);
    writeFileSync(at('instruction.md'), 'Something else.\n');
    expect((await handlers.list({ repository: root }, signal)).rows).toMatchObject([
      { state: 'prepared', proof: null },
    ]);
  });

  it('is told as unproven when a check failed', async () => {
    const { prepared, root, handlers } = await aPreparedTask();
    await writeProof(
      prepared.directory,
      { ...proof, noOp: 1 },
      { failToPass: [], passToPass: [guard], mustFail: [], exitsCleanly: true },
    );
    expect((await handlers.list({ repository: root }, signal)).rows).toMatchObject([
      { state: 'prepared', problem: expect.any(String) },
    ]);
  });

  it('keeps text that is not UTF-8', async () => {
    const latin = Buffer.from('caf\xe9\n', 'latin1');
    const { prepared } = await aPreparedTask({ change: { ...change, 'menu.txt': latin } });
    const workdir = await checkout(prepared);
    await applyPatch(workdir, requireReference(await loadPreparedTask(prepared.directory)));
    expect(readFileSync(join(workdir, 'menu.txt'))).toEqual(latin);
  });

  it('replaces itself when prepared again, and takes another name beside another task', async () => {
    const { root, handlers, created, at } = await aPreparedTask();
    writeFileSync(at('stray'), '');
    const again = await handlers.prepare({ repository: root, task: created.id, name: undefined }, signal);
    expect(again.id).toBe('subtract');
    expect(existsSync(at('stray'))).toBe(false);

    userGit(root, 'add', '-A');
    userGit(root, 'commit', '-qm', 'More');
    await handlers.start({ repository: root, title: 'Subtract', notes: '', labels: [] }, signal);
    write(root, { 'src/more.js': 'export const more = 1;\n', 'test/more.test.js': "import '../src/more.js';\n" });
    const second = await handlers.end({ repository: root, summary: '', labels: [] }, signal);
    expect((await handlers.prepare({ repository: root, task: second.id, name: undefined }, signal)).id).toBe(
      'subtract-2',
    );
    await expect(
      handlers.prepare({ repository: root, task: second.id, name: 'subtract' }, signal),
    ).rejects.toMatchObject({ code: 'input.invalid' });
    expect(readdirSync(join(root, '.coach', 'tasks', 'prepared')).sort()).toEqual(['subtract', 'subtract-2']);
  });

  it('keeps deleted tests with the solution and hidden test files executable', async () => {
    const files = { ...library, 'test/old.test.js': "import test from 'node:test';\ntest('old', () => {});\n" };
    const { root, handlers } = await aCreatedTask({ files });
    await handlers.discard({ repository: root }, signal);
    userGit(root, 'add', '-A');
    userGit(root, 'commit', '-qm', 'x');
    await handlers.start({ repository: root, title: 'Remove', notes: '', labels: [] }, signal);
    rmSync(join(root, 'test/old.test.js'));
    write(root, { 'test/new.test.js': 'export {};\n', 'src/x.js': '\n' });
    const task = await handlers.end({ repository: root, summary: '', labels: [] }, signal);
    const prepared = await handlers.prepare({ repository: root, task: task.id, name: undefined }, signal);
    const { solutionPatch, tests } = await loadPreparedTask(prepared.directory);
    expect(solutionPatch?.toString()).toContain('test/old.test.js');
    expect(tests.paths).not.toContain('test/old.test.js');
  });
});

describe('prepare refuses', () => {
  const refusal = async (over: Parameters<typeof aCreatedTask>[0]) => {
    const { root, handlers, task } = await aCreatedTask(over);
    try {
      await handlers.prepare({ repository: root, task: task.id, name: undefined }, signal);
    } catch (error) {
      expect(
        existsSync(join(root, '.coach/tasks/prepared')) ? readdirSync(join(root, '.coach/tasks/prepared')) : [],
      ).toEqual([]);
      return error;
    }
    return null;
  };

  it('a change without tests, and one of tests only that is said to be of code', async () => {
    expect(await refusal({ change: { 'src/sums.js': 'x\n' } })).toMatchObject({
      code: 'task.invalid',
      hint: expect.stringContaining('tests'),
    });
    const { root, handlers, task } = await aCreatedTask({ change: { 'test/x.test.js': 'x\n' } });
    const file = join(task.directory, 'tb_meta.json');
    const meta = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...meta, evaluation: { ...meta.evaluation, kind: 'code' } }));
    await expect(handlers.prepare({ repository: root, task: task.id, name: undefined }, signal)).rejects.toMatchObject({
      code: 'task.invalid',
      message: expect.stringContaining('nothing to solve'),
    });
  });

  it('tests that it can not run, saying which it can', async () => {
    const manifest = (test: string) => ({ ...library, 'package.json': JSON.stringify({ scripts: { test } }) });
    for (const script of ['jest', 'npm run build && node --test', 'node --test missing/']) {
      expect(await refusal({ files: manifest(script) })).toMatchObject({
        code: 'task.invalid',
        hint: expect.stringContaining('node --test'),
      });
    }
    const { 'package.json': _, ...rest } = library;
    expect(await refusal({ files: rest })).toMatchObject({
      code: 'task.invalid',
      hint: expect.stringContaining('package.json'),
    });
  });

  it('an instruction that holds a line of the solution', async () => {
    const leaking = `Add this:\n${change['src/sums.js'].split('\n')[1]}\nand tests`;
    expect(await refusal({ deps: { sessions: sessionsOf(aCleanSession(leaking)) } })).toMatchObject({
      code: 'task.leak',
      hint: expect.stringContaining('lm.instructions'),
    });
  });

  it('hidden tests that are links', async () => {
    const { root, handlers } = await aCreatedTask();
    userGit(root, 'add', '-A');
    userGit(root, 'commit', '-qm', 'x');
    await handlers.start({ repository: root, title: 'Link', notes: '', labels: [] }, signal);
    symlinkSync('/etc/passwd', join(root, 'test', 'link.test.js'));
    write(root, { 'src/x.js': 'x\n' });
    const task = await handlers.end({ repository: root, summary: '', labels: [] }, signal);
    await expect(handlers.prepare({ repository: root, task: task.id, name: undefined }, signal)).rejects.toMatchObject({
      code: 'task.invalid',
      message: expect.stringContaining('link'),
    });
  });

  it('created tasks with missing or broken files, naming the file', async () => {
    const { root, handlers, task } = await aCreatedTask();
    const prepare = () => handlers.prepare({ repository: root, task: task.id, name: undefined }, signal);
    const broken = async (path: string, content: string | null) => {
      const file = join(task.directory, path);
      const before = readFileSync(file);
      if (content === null) rmSync(file);
      else writeFileSync(file, content);
      await expect(prepare()).rejects.toMatchObject({
        code: expect.stringMatching(/^(task\.invalid|git\.failed)$/),
        message: expect.stringContaining(path.includes('patch') && content !== null ? 'patch' : path),
      });
      writeFileSync(file, before);
    };
    await broken('tb_meta.json', null);
    await broken('tb_meta.json', '{');
    await broken('tb_meta.json', '{"task_id":"x"}');
    await broken('diff.patch', null);
    await broken('diff.patch', 'not a patch');
    await broken('evaluation/start.bundle', null);
    await broken('evaluation/start.bundle', 'not a bundle');
    await broken('trace/session_id.txt', null);
    expect(existsSync(join(root, '.coach/tasks/prepared'))).toBe(false);
    await prepare();
    await expect(
      handlers.prepare({ repository: root, task: 'missing', name: undefined }, signal),
    ).rejects.toMatchObject({ code: 'task.missing' });
    await expect(
      handlers.validate({ repository: root, task: 'missing', executor: 'auto', repeats: 1, keys: {} }, signal),
    ).rejects.toMatchObject({ code: 'task.missing' });
  });
});

describe('loadPreparedTask', () => {
  it('names the file and the field of what is broken', async () => {
    const { prepared, at } = await aPreparedTask();
    const broken = async (path: string, change: (text: string) => string | null, message: string) => {
      const before = readFileSync(at(path));
      const after = change(before.toString());
      if (after === null) rmSync(at(path));
      else writeFileSync(at(path), after);
      const error = {
        code: 'task.invalid',
        message: expect.stringMatching(new RegExp(message)),
        hint: expect.any(String),
      };
      await expect(loadPreparedTask(prepared.directory)).rejects.toMatchObject(error);
      writeFileSync(at(path), before);
    };
    await broken('task.toml', () => null, 'task.toml.*missing');
    await broken('task.toml', () => 'a = ', 'task.toml.*not TOML');
    await broken('task.toml', text => text.replace('local/subtract', 'subtract'), 'task.toml.*task.name');
    await broken('task.toml', text => text.replace(/test_command = .*\n/, ''), 'metadata.codex_coach.test_command');
    await broken('task.toml', text => text.replace('"/app"', '"app"'), 'metadata.codex_coach.workdir');
    await broken('task.toml', text => text.replace(/(\[verifier\]\ntimeout_sec = ).*/, '$1-1'), 'verifier.timeout_sec');
    await broken('instruction.md', () => ' \n', 'instruction.md.*empty');
    await broken('environment/Dockerfile', () => 'FROM node\n', 'Dockerfile.*BASE_IMAGE');
    await broken('environment/repo.bundle', () => null, 'repo.bundle.*missing');
    await broken('tests/expected.json', () => '[]', 'expected.json');
    await broken(
      'tests/expected.json',
      text => text.replace('"fail_to_pass": []', '"fail_to_pass": [1]'),
      'expected.json.*fail_to_pass.0',
    );
    await broken('tests/test.sh', () => null, 'test.sh.*missing');
    await broken('solution/solution.patch', () => null, 'solution.patch.*missing');
    rmSync(at('tests/files'), { recursive: true });
    await expect(loadPreparedTask(prepared.directory)).rejects.toMatchObject({
      code: 'task.invalid',
      message: expect.stringContaining('tests/files'),
    });
    await expect(loadPreparedTask(at('none'))).rejects.toMatchObject({ code: 'task.missing' });
  });
});

describe('validate', () => {
  it('hands the prepared directory to the bench and shows what it wrote', async () => {
    const calls: unknown[] = [];
    const validate = async (directory: string, { executor }: { executor: string }) => {
      calls.push([directory, executor]);
      await writeProof(directory, proof, {
        failToPass: [hidden],
        passToPass: [guard],
        mustFail: [],
        exitsCleanly: true,
      });
    };
    const { root, handlers, created, prepared } = await aPreparedTask({ deps: { validate } });
    const task = await handlers.validate(
      { repository: root, task: created.id, executor: 'local', repeats: 1, keys: {} },
      signal,
    );
    expect(task).toMatchObject({ id: 'subtract', state: 'proven', proof });
    expect(calls).toEqual([[prepared.directory, 'local']]);
  });

  it('refuses a task that is not prepared', async () => {
    const { root, handlers, task } = await aCreatedTask();
    await expect(
      handlers.validate({ repository: root, task: task.id, executor: 'auto', repeats: 1, keys: {} }, signal),
    ).rejects.toMatchObject({ code: 'task.invalid', hint: expect.stringContaining('task prepare') });
    mkdirSync(join(root, '.coach/tasks/prepared/broken'), { recursive: true });
    await expect(
      handlers.validate({ repository: root, task: 'broken', executor: 'auto', repeats: 1, keys: {} }, signal),
    ).rejects.toMatchObject({ code: 'task.invalid' });
  });
});
