import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pytestJudge } from '../../../../server/tasks/transfer/pytestJudge.ts';
import { parseInstance, parsePredictions, readRows, testFilesOf } from '../../../../server/tasks/transfer/swebench.ts';
import { aDirectory } from '../../git/aRepository.ts';
import { aTaskHouse, fixtures } from './foreignDirectories.ts';

const sqlfluff = () =>
  readRows(readFileSync(join(fixtures, 'swebench/instance_sqlfluff-2386.jsonl'), 'utf8'), 'file')[0]?.row;

describe('rows of SWE-bench', () => {
  it('have test ids as a list or as JSON text', () => {
    const row = sqlfluff() as Record<string, string[]>;
    const parsed = parseInstance(row, 'file');
    const asText = { ...row, FAIL_TO_PASS: JSON.stringify(row['FAIL_TO_PASS']) };
    expect(parseInstance(asText, 'file').FAIL_TO_PASS).toEqual(parsed.FAIL_TO_PASS);
    expect(parsed.PASS_TO_PASS).toContain('test/core/rules/docstring_test.py::test_content_count[\\n');
    expect(testFilesOf(parsed.test_patch)).toEqual([
      'test/core/rules/docstring_test.py',
      'test/rules/std_L054_test.py',
    ]);
  });

  it.each([
    ['lines', '{"instance_id":"a__b-1","model_name_or_path":"m","model_patch":"x"}\n'],
    ['an array', '[{"instance_id":"a__b-1","model_name_or_path":"m","model_patch":"x"}]'],
    ['an object by instance', '{"a__b-1":{"model_name_or_path":"m","model_patch":"x"}}'],
  ])('have predictions as %s', (_, text) => {
    expect(parsePredictions(text, 'file')).toEqual([
      { instance_id: 'a__b-1', model_name_or_path: 'm', model_patch: 'x' },
    ]);
  });

  it('have predictions as they were published', () => {
    const text = readFileSync(join(fixtures, 'swebench/predictions_swe-agent.jsonl'), 'utf8');
    expect(parsePredictions(text, 'file')[0]).toMatchObject({ instance_id: 'pydicom__pydicom-1458' });
  });

  it.each([
    ['a field that is missing', '{"instance_id":"a"}', /repo: /],
    ['a line that is no JSON', '{"a":1}\n{oops\n', /line 2/],
  ])('are refused with their place: %s', async (_, text, message) => {
    const file = join(aDirectory(), 'rows.jsonl');
    writeFileSync(file, text);
    await expect(aTaskHouse().importFrom(file)).rejects.toThrow(message);
  });

  it('are named when there are several', async () => {
    const file = join(aDirectory(), 'rows.jsonl');
    const row = sqlfluff() as object;
    writeFileSync(file, [row, { ...row, instance_id: 'other-1' }].map(one => JSON.stringify(one)).join('\n'));
    await expect(aTaskHouse().importFrom(file)).rejects.toMatchObject({ hint: expect.stringContaining('other-1') });
  });
});

/** Judges a summary of pytest, and tells the reward. */
function judged(
  expected: { fail_to_pass: string[]; pass_to_pass: string[] },
  lines: readonly string[],
  status = 0,
): string | null {
  const place = aDirectory('coach-judge');
  writeFileSync(join(place, 'judge.py'), pytestJudge);
  writeFileSync(join(place, 'expected.json'), JSON.stringify(expected));
  writeFileSync(join(place, 'log.txt'), ['=== short test summary info ===', ...lines].join('\n'));
  const args = ['-I', 'judge.py', 'expected.json', 'log.txt', String(status), place];
  const { stderr } = spawnSync('python3', args, { cwd: place, encoding: 'utf8' });
  expect(stderr).toBe('');
  const file = join(place, 'reward.txt');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
}

describe('the judge of an instance', () => {
  const one = { fail_to_pass: ['t.py::new'], pass_to_pass: ['t.py::old'] };

  it.each([
    ['all pass', ['PASSED t.py::new', 'PASSED t.py::old'], 0, '1'],
    ['one fails', ['PASSED t.py::old', 'FAILED t.py::new - assert 1 == 2'], 1, '0'],
    ['one is missing', ['PASSED t.py::old'], 0, '0'],
    ['one was expected to fail', ['PASSED t.py::new', 'XFAIL t.py::old - known'], 0, '1'],
    ['the new one is skipped', ['PASSED t.py::old', 'SKIPPED [1] t.py:3: no'], 0, '0'],
    ['the old one is skipped', ['PASSED t.py::new', 'SKIPPED [1] t.py:3: no'], 0, '1'],
    ['the exit code says something else', ['PASSED t.py::new', 'PASSED t.py::old'], 3, '0'],
    ['there is no result', [], 0, null],
  ])('knows when %s', (_, lines, status, reward) => {
    expect(judged(one, lines, status)).toBe(reward);
  });

  it('takes an id that was cut off for all that begin so', () => {
    const cut = { fail_to_pass: ['t.py::count[\\n'], pass_to_pass: [] };
    const lines = (last: string) => [
      'PASSED t.py::count[\\n    | **Anti-pattern**]',
      `${last} t.py::count[\\n    | **Best**]`,
    ];
    expect(judged(cut, lines('PASSED'))).toBe('1');
    expect(judged(cut, lines('FAILED'), 1)).toBe('0');
    expect(judged(cut, ['PASSED t.py::counted'])).toBe('0');
  });

  it('knows an id by its file where it holds the path of another machine', () => {
    const elsewhere = { fail_to_pass: ['t.py::reads[/n/fs/temp/repo/data/a.dcm-LE]'], pass_to_pass: [] };
    expect(judged(elsewhere, ['PASSED t.py::reads[/testbed/data/a.dcm-LE]'])).toBe('1');
    expect(judged(elsewhere, ['PASSED t.py::reads[/testbed/data/b.dcm-LE]'])).toBe('0');
  });
});
