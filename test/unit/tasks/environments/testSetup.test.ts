import { describe, expect, it } from 'vitest';
import { detectTestSetup } from '../../../../server/tasks/environments/testSetup.ts';
import { draftInstruction, refuseLeakingInstruction } from '../../../../server/tasks/instruction.ts';
import { secretsInPatch } from '../../../../server/tasks/secrets.ts';
import { isTestPath } from '../../../../server/tasks/testing/testFiles.ts';
import { aCleanSession } from '../aSession.ts';

const repository = (files: Record<string, string | object>) => ({
  paths: Object.keys(files),
  read: async (path: string) => {
    const content = files[path];
    return content === undefined ? null : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  },
});

const setupOf = (files: Record<string, string | object>) => detectTestSetup(repository(files));

const empty = (paths: readonly string[]) => Object.fromEntries(paths.map(path => [path, '']));

const testsOf = async (script: string, paths: string[]) => {
  const { command } = await setupOf({ ...empty(paths), 'package.json': { scripts: { test: script } } });
  return command.replace(/ --test-reporter=junit --test-reporter-destination=\S+/, '');
};

describe('tests of node', () => {
  const paths = [
    'src/a.js',
    'src/a.test.js',
    'src/b-test.mjs',
    'test/c.js',
    'test/d.cjs',
    'test/data.json',
    'test.js',
    'lib/test-e.js',
    'node_modules/x/x.test.js',
  ];

  it('are the files that node --test would run', async () => {
    expect(await testsOf('node --test', paths)).toBe(
      'node --test lib/test-e.js src/a.test.js src/b-test.mjs test.js test/c.js test/d.cjs',
    );
  });

  it('are named by files, directories and globs, quoted or not', async () => {
    expect(await testsOf('node --test test/', paths)).toBe('node --test test/c.js test/d.cjs');
    expect(await testsOf('node --test ./src/a.test.js', paths)).toBe('node --test src/a.test.js');
    expect(await testsOf("node --test 'src/**/*.test.js'", paths)).toBe('node --test src/a.test.js');
    expect(await testsOf('node --test "**/*{.test,-test}.?(c|m)js"', paths)).toBe(
      'node --test src/a.test.js src/b-test.mjs',
    );
  });

  it('keep options with their values, but for reporters', async () => {
    const script = 'node --import ./hook.js --no-warnings --test --test-reporter=spec src/*.test.js';
    expect(await testsOf(script, paths)).toBe('node --import ./hook.js --no-warnings --test src/a.test.js');
  });

  it('may have names that the shell would understand', async () => {
    expect(await testsOf('node --test', ["test/it's $(here).js"])).toBe(`node --test 'test/it'\\''s $(here).js'`);
  });

  const withDependency = (script: string, name: string) => ({
    'package.json': { scripts: { test: script }, devDependencies: { [name]: '1' } },
    'package-lock.json': '{}',
    'src/a.ts': '',
    'src/a.test.ts': '',
    'test/b.spec.js': '',
    'test/c.js': '',
  });

  it('of vitest, jest and mocha are run by the locked version', async () => {
    const vitest = await setupOf(withDependency('vitest run --coverage --config v.ts', 'vitest'));
    expect(vitest).toMatchObject({
      command:
        'node /node_modules/vitest/vitest.mjs run --config v.ts --reporter=json --outputFile=/logs/verifier/vitest.json src/a.test.ts test/b.spec.js',
      resultFormat: 'jest',
      dependencies: { manager: 'npm', files: ['package.json', 'package-lock.json'] },
    });
    expect((await setupOf(withDependency('npx jest', 'jest'))).command).toBe(
      'node /node_modules/jest/bin/jest.js --ci --json --outputFile=/logs/verifier/jest.json --runTestsByPath src/a.test.ts test/b.spec.js',
    );
    expect((await setupOf(withDependency('mocha --reporter dot', 'mocha'))).command).toBe(
      'node /node_modules/mocha/bin/mocha.js --reporter json --reporter-option output=/logs/verifier/mocha.json test/b.spec.js test/c.js',
    );
  });

  it('need a lockfile where there are dependencies, and their runner among them', async () => {
    const { 'package-lock.json': _, ...unlocked } = withDependency('vitest', 'vitest');
    await expect(setupOf(unlocked)).rejects.toMatchObject({
      code: 'task.invalid',
      message: expect.stringContaining('package-lock.json'),
    });
    await expect(setupOf(withDependency('mocha', 'vitest'))).rejects.toMatchObject({
      message: expect.stringContaining('mocha is no dependency'),
    });
  });
});

describe('tests of other languages', () => {
  it('Python: pytest, closed to what the repository puts in its way', async () => {
    const setup = await setupOf({ 'tests/test_a.py': '', 'src/a.py': '', 'pkg/b_test.py': '', 'setup.cfg': '[x]' });
    expect(setup).toMatchObject({ resultFormat: 'pytest', packages: ['python3-pytest'], dependencies: null });
    expect(setup.command).toMatch(/^python3 -sPB -c 'import .* pkg\/b_test.py tests\/test_a.py$/);
  });

  it('Python: what requirements ask for is installed, but neither pytest nor what must be built', async () => {
    const files = {
      'test_a.py': '',
      'requirements.txt': '# none\npytest>=7\n',
      'requirements-dev.txt': 'attrs==23.1 # x\n',
    };
    const setup = await setupOf(files);
    expect(setup.dependencies).toEqual({ manager: 'pip', files: ['requirements-dev.txt'] });
    expect(setup.command).toMatch(/^PYTHONPATH=\/opt\/task\/python python3 /);
    await expect(setupOf({ ...files, 'requirements.txt': '-e .' })).rejects.toMatchObject({
      message: expect.stringContaining('-e .'),
    });
  });

  it('Go: the packages that have tests, with the version of go.mod', async () => {
    const files = { 'go.mod': 'module x\n\ngo 1.18\n', 'a_test.go': '', 'in/b_test.go': '', 'vendor/c/c_test.go': '' };
    expect(await setupOf(files)).toMatchObject({
      command: 'GOTOOLCHAIN=local GOFLAGS= GOPROXY=off go test -json -count=1 . ./in > /logs/verifier/go-test.jsonl',
      baseImage: 'golang:1.19-bookworm',
    });
    expect((await setupOf({ ...files, 'go.mod': 'module x\n\ngo 1.24.1\n' })).baseImage).toBe('golang:1.24-bookworm');
    await expect(setupOf({ ...files, 'go.mod': 'module x\nrequire github.com/a/b v1.2.3\n' })).rejects.toMatchObject({
      hint: expect.stringContaining('go mod vendor'),
    });
  });

  it('Rust: each target by itself', async () => {
    const files = { 'Cargo.toml': '[package]\nname = "x"\n', 'src/lib.rs': '', 'tests/a.rs': '', 'tests/in/b.rs': '' };
    expect((await setupOf(files)).command).toContain('for target in --doc --lib --test=a; do cargo test --offline');
    await expect(setupOf({ ...files, 'Cargo.toml': '[dependencies]\nserde = "1"\n' })).rejects.toMatchObject({
      hint: expect.stringContaining('cargo vendor'),
    });
  });

  it('says which runners it knows when it finds none', async () => {
    await expect(setupOf({ 'README.md': '' })).rejects.toMatchObject({ hint: expect.stringContaining('pytest') });
  });
});

describe('isTestPath', () => {
  it.each([
    'test/a.js',
    'src/__tests__/a.ts',
    'a.test.ts',
    'a.spec.js',
    'pkg/a_test.go',
    'test_a.py',
    'tests/data/x.json',
    'conftest.py',
    'vitest.config.ts',
  ])('takes %s', path => {
    expect(isTestPath(path)).toBe(true);
  });

  it.each(['src/testing.js', 'src/contest.js', 'latest/a.js', 'protester.py', 'spec.md', 'test'])('leaves %s', path => {
    expect(isTestPath(path)).toBe(false);
  });
});

describe('draftInstruction', () => {
  it('is the first thing the person said, not what the agent put before it', () => {
    expect(draftInstruction('Title', 'Notes', aCleanSession('Please do X.'))).toBe('Please do X.');
    expect(draftInstruction('Title', ' ', null)).toBe('Title');
  });
});

describe('refuseLeakingInstruction', () => {
  const patch =
    'diff --git a/a.js b/a.js\n--- a/a.js\n+++ b/a.js\n@@ -1 +1,3 @@\n+  return minuend - subtrahend;\n+}\n+x = 1;\ndiff --git a/README.md b/README.md\n--- a/README.md\n+++ b/README.md\n@@ -0,0 +1 @@\n+subtract(a, b) takes one from the other\n';

  it('finds a whole line of code, however indented, but neither short lines nor prose', () => {
    expect(() => refuseLeakingInstruction('It must return minuend - subtrahend; always', patch, 'code')).toThrow(
      expect.objectContaining({ code: 'task.leak' }),
    );
    refuseLeakingInstruction(
      'x = 1; } and subtract(a, b) takes one from the other, minuend - subtrahend',
      patch,
      'code',
    );
  });
});

describe('secretsInPatch', () => {
  it('gives file and line after the change, for added lines only', () => {
    const key = `glpat-${'a1B2'.repeat(5)}`;
    const patch = [
      'diff --git a/old.txt b/old.txt',
      '--- a/old.txt',
      '+++ b/old.txt',
      '@@ -1,2 +1,1 @@',
      `-${key}`,
      ' kept',
      'diff --git a/new file.txt b/new file.txt',
      '--- /dev/null',
      '+++ b/new file.txt\t',
      '@@ -0,0 +10,3 @@',
      '+one',
      `+++ ${key}`,
      '+-----BEGIN RSA PRIVATE KEY-----',
    ].join('\n');
    expect(secretsInPatch(patch)).toEqual([
      { path: 'new file.txt', line: 11, kind: 'key' },
      { path: 'new file.txt', line: 12, kind: 'private key' },
    ]);
    expect(secretsInPatch(patch.replaceAll(key, 'harmless'))).toEqual([
      { path: 'new file.txt', line: 12, kind: 'private key' },
    ]);
  });
});
