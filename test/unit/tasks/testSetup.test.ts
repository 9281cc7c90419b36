import { describe, expect, it } from 'vitest';
import { draftInstruction, refuseLeakingInstruction } from '../../../server/tasks/instruction.ts';
import { secretsInPatch } from '../../../server/tasks/secrets.ts';
import { isTestPath } from '../../../server/tasks/testFiles.ts';
import { detectTestSetup } from '../../../server/tasks/testSetup.ts';
import { aCleanSession } from './aSession.ts';

const testsOf = async (script: string, paths: string[]) => {
  const read = async () => Buffer.from(JSON.stringify({ scripts: { test: script } }));
  const { command } = await detectTestSetup({ paths, read });
  return command.replace(/ --test-reporter=junit --test-reporter-destination=\S+/, '');
};

describe('detectTestSetup', () => {
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

  it('names the files that node --test would run', async () => {
    expect(await testsOf('node --test', paths)).toBe(
      'node --test lib/test-e.js src/a.test.js src/b-test.mjs test.js test/c.js test/d.cjs',
    );
  });

  it('understands files, directories and globs, quoted or not', async () => {
    expect(await testsOf('node --test test/', paths)).toBe('node --test test/c.js test/d.cjs');
    expect(await testsOf('node --test ./src/a.test.js', paths)).toBe('node --test src/a.test.js');
    expect(await testsOf("node --test 'src/**/*.test.js'", paths)).toBe('node --test src/a.test.js');
    expect(await testsOf('node --test "**/*{.test,-test}.?(c|m)js"', paths)).toBe(
      'node --test src/a.test.js src/b-test.mjs',
    );
  });

  it('keeps options with their values and drops reporters', async () => {
    const script = 'node --import ./hook.js --no-warnings --test --test-reporter=spec src/*.test.js';
    expect(await testsOf(script, paths)).toBe('node --import ./hook.js --no-warnings --test src/a.test.js');
  });

  it('quotes file names for the shell', async () => {
    expect(await testsOf('node --test', ["test/it's $(here).js"])).toBe(`node --test 'test/it'\\''s $(here).js'`);
  });

  it('installs what the lockfile says', async () => {
    const read = async () => Buffer.from(JSON.stringify({ scripts: { test: 'node --test' } }));
    expect((await detectTestSetup({ paths: ['test.js', 'package-lock.json'], read })).install).toMatch(/^npm ci/);
    expect((await detectTestSetup({ paths: ['test.js'], read })).install).toBeNull();
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
    expect(() => refuseLeakingInstruction('It must return minuend - subtrahend; always', patch)).toThrow(
      expect.objectContaining({ code: 'task.leak' }),
    );
    refuseLeakingInstruction('x = 1; } and subtract(a, b) takes one from the other, minuend - subtrahend', patch);
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
