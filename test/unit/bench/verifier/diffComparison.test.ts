import { describe, expect, it } from 'vitest';
import { compareDiffs } from '../../../../server/bench/verifier/diffComparison.ts';
import { isTestName } from '../../../../server/tasks/testing/testFiles.ts';
import { addFilePatch } from '../../../integration/benchFixture.ts';

const compare = (agent: string, reference: string) =>
  compareDiffs(Buffer.from(agent), Buffer.from(reference), true, isTestName);
const changed = (path: string, lines: string) =>
  `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -1,${count(lines, '-')} +1,${count(lines, '+')} @@\n${lines}`;
const count = (lines: string, sign: string) =>
  lines.split('\n').filter(line => line[0] === ' ' || line[0] === sign).length;

describe('a change beside the reference', () => {
  it('is like itself', () => {
    const patch = addFilePatch('src/a.js', 'exports.a = 1;');
    expect(compare(patch, patch)).toEqual({
      files: { both: 1, agent: 0, reference: 0 },
      hunks: { agent: 1, reference: 1 },
      lines: { agent: 1, reference: 1, both: 1 },
      ...{ similarity: 1, applies: true },
    });
  });

  it('is as alike as the share of changed lines in common, twice over both', () => {
    const mine = changed('a.js', ' keep\n-old\n+new\n+more\n');
    const theirs = changed('a.js', '-old\n+new\n keep\n');
    expect(compare(mine, theirs)).toMatchObject({ lines: { agent: 3, reference: 2, both: 2 }, similarity: 4 / 5 });
  });

  it('counts a repeated line as often as both have it', () => {
    const twice = changed('a.js', '+x\n+x\n');
    expect(compare(twice, changed('a.js', '+x\n+x\n+x\n')).similarity).toBe(4 / 5);
  });

  it('tells files, signs and contents that look like headers apart', () => {
    expect(compare(addFilePatch('a.js', 'x'), addFilePatch('b.js', 'x'))).toMatchObject({
      files: { both: 0, agent: 1, reference: 1 },
      similarity: 0,
    });
    expect(compare(changed('a.js', '+x\n'), changed('a.js', '-x\n')).similarity).toBe(0);
    // A removed line "-- a/b" stands as "--- a/b" in a patch.
    const tricky = changed('a.sql', '--- a/b\n+++ b/b\n+@@ -1 +1 @@\n');
    expect(compare(tricky, tricky)).toMatchObject({ hunks: { agent: 1 }, lines: { agent: 3, both: 3 } });
  });

  it('leaves out what a reference never holds: tests', () => {
    const solution = addFilePatch('a.js', 'x');
    expect(compare(solution + addFilePatch('test/a.test.js', 'test'), solution).similarity).toBe(1);
  });

  it('is nothing like the reference when it is empty, and like it when both are', () => {
    expect(compare('', addFilePatch('a.js', 'x')).similarity).toBe(0);
    expect(compare('', '').similarity).toBe(1);
    const binary = 'diff --git a/x.png b/x.png\nGIT binary patch\nliteral 1\nIcmZ?d\n\n';
    expect(compare(binary, binary)).toMatchObject({ lines: { agent: 0 }, similarity: 1 });
  });

  it('knows a path with a blank', () => {
    expect(compare(addFilePatch('my file.test.js', 'x'), addFilePatch('a b.js', 'x')).files).toEqual({
      ...{ both: 0, agent: 0, reference: 1 },
    });
  });
});
