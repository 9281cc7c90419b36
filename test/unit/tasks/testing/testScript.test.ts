import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readReport } from '../../../../server/bench/testReports/testReports.ts';
import { testScript } from '../../../../server/tasks/testing/testScript.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../../fixtures/reports/${name}`, import.meta.url));

/** What the judge of a task's test.sh prints about a recorded report. */
function reward(format: Parameters<typeof readReport>[0], report: string, expected: readonly string[]): string {
  const directory = temporaryDirectory();
  const script = testScript({ workdir: '/app', command: 'true', resultFile: '/r', resultFormat: format });
  const judge = join(directory, 'judge.mjs');
  writeFileSync(judge, /<<'JUDGE'\n([\s\S]*)JUDGE\n/.exec(script)?.[1] ?? '');
  const expectedFile = join(directory, 'expected.json');
  writeFileSync(expectedFile, JSON.stringify({ fail_to_pass: expected.slice(0, 1), pass_to_pass: expected.slice(1) }));
  return execFileSync(process.execPath, [judge, expectedFile, report, '/app'], { encoding: 'utf8' }).trim();
}

describe.each([
  ['pytest', 'pytest.xml'],
  ['jest', 'jest.json'],
  ['jest', 'vitest.json'],
  ['mocha', 'mocha.json'],
  ['go', 'go.jsonl'],
  ['cargo', 'cargo.txt'],
] as const)('test.sh for other programs, with a report of %s (%s)', (format, name) => {
  const outcomes = readReport(format, readFileSync(fixture(name), 'utf8'), '/app') ?? [];
  const passed = outcomes.filter(({ status }) => status === 'passed').map(({ id }) => id);

  it('takes for passed what our own verifier does', () => {
    expect(passed.length).toBeGreaterThan(2);
    expect(reward(format, fixture(name), passed)).toBe('1');
  });

  it('takes nothing else for passed', () => {
    for (const { id, status } of outcomes) {
      if (status !== 'passed') expect(reward(format, fixture(name), [...passed, id])).toBe('0');
    }
    expect(
      reward(format, fixture(name), [...passed, outcomes.find(({ status }) => status === 'failed')?.id ?? '']),
    ).toBe('0');
    expect(reward(format, fixture(name), [...passed, 'missing'])).toBe('0');
    expect(reward(format, join(fixture(name), 'missing'), passed)).toBe('0');
  });
});
