import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestVerdict } from '../../../protocol/runs.ts';
import { removeScratch, temporaryScratch } from '../../base/owner.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { failToPassSuite, testPatchFile } from '../../tasks/transfer/swebench.ts';
import { readReport } from '../testReports/testReports.ts';
import type { VerifierRun } from './score.ts';
import type { VerifyOutcome } from './verifyOutcome.ts';

/**
 * Code under test runs in the tests' own process and can make them pass whatever they expect: by patching the
 * assertions, the runner or its report, by values that are equal to everything. None of that can tell a right
 * expectation from a wrong one in a test that the agent never saw. So tests that passed are run once more with wrong
 * expectations, and what passes those as well was never checked.
 */

const assertion =
  /\b(?:assert\w*|expect|should\w*|(?:strict|deep|deepStrict|not)?[eE]quals?|toBe\w*|toEqual|require|EXPECT_\w+|ASSERT_\w+|want|expected)\b|[!=]==?/;
/** Rows of a table of cases, as Go tests have them. */
const tableRow = /^\s*\{.*\}\s*,?\s*$/;
const noExpectation = /^\s*(?:import\b|from\b|export\b|use\b|package\b|#|\/\/|\*)|\brequire\(/;
const literal = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|(?<![\w.$])\d+(?:\.\d+)?(?![\w.])/g;
const flag = /\b(?:true|false|True|False)\b/;
const opposites: Readonly<Record<string, string>> = { true: 'false', false: 'true', True: 'False', False: 'True' };

/** A test file with wrong expectations, in any of the usual languages; null when none was found to change. */
export function withWrongExpectations(text: string): string | null {
  const lines = text.split('\n');
  const change = (isWanted: RegExp) =>
    lines.map(line => (isWanted.test(line) && !noExpectation.test(line) ? withOtherLiterals(line) : line)).join('\n');
  const changed = [change(assertion), change(tableRow)].find(variant => variant !== text);
  return changed ?? null;
}

/** A patch whose added lines have wrong expectations; null when none was found to change. */
export function patchWithWrongExpectations(patch: string): string | null {
  const lines = patch.split('\n');
  const isAdded = (line: string) => line.startsWith('+') && !line.startsWith('+++ ');
  const added = lines.filter(isAdded).map(line => line.slice(1));
  const changed = withWrongExpectations(added.join('\n'))?.split('\n');
  if (changed === undefined) return null;
  return lines.map(line => (isAdded(line) ? `+${changed.shift()}` : line)).join('\n');
}

/** Every literal changes by another measure: `id(1) === 1` must not stay true. */
function withOtherLiterals(line: string): string {
  let count = 0;
  const changed = line.replaceAll(literal, found => {
    count++;
    const quote = found[0];
    if (quote === "'" || quote === '"') return `${found.slice(0, -1)}${'~'.repeat(count)}${quote}`;
    return String(Number(found) + 7 * count);
  });
  return count > 0 ? changed : line.replace(flag, found => opposites[found] ?? found);
}

/**
 * Writes the tests that came with the change, which no agent has seen, with wrong expectations into a directory, calls
 * `use` with it and removes it. Of scripts only those of SWE-bench are known well enough.
 * @returns what `use` gave; null when no test file has an expectation that could be changed
 */
export async function withCounterTests<T>(
  { tests, verifier }: PreparedTask,
  use: (directory: string) => Promise<T>,
): Promise<T | null> {
  const scratch = await temporaryScratch('counterproof');
  try {
    const directory = join(scratch, 'files');
    let written = 0;
    const isScript = verifier.kind === 'script';
    const asPatch = isScript && verifier.restoresTests ? [testPatchFile] : [];
    const counter = isScript ? patchWithWrongExpectations : withWrongExpectations;
    for (const path of isScript ? asPatch : tests.changed) {
      const changed = counter(await readFile(join(tests.root, path), 'utf8'));
      if (changed === null) continue;
      const file = join(directory, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, changed);
      written++;
    }
    return written === 0 ? null : await use(directory);
  } finally {
    await removeScratch(scratch);
  }
}

/** What a script reported of the tests that a solution turns from failing to passing. */
export function scriptTests({ scriptFiles }: VerifyOutcome): NonNullable<VerifierRun['outcomes']> {
  const ctrf = scriptFiles?.get('ctrf.json');
  const outcomes = ctrf === undefined ? null : readReport('ctrf', ctrf.toString(), '/');
  return (outcomes ?? []).filter(({ id }) => id.startsWith(`${failToPassSuite} > `));
}

/** Ids that ran and failed: with wrong expectations those are the ones that check something. */
export function failedIds(run: Pick<VerifierRun, 'outcomes'> | null, among: readonly string[]): string[] {
  const failed = new Set(run?.outcomes?.filter(outcome => outcome.status === 'failed').map(outcome => outcome.id));
  return among.filter(id => failed.has(id));
}

/**
 * Verdicts as they stand after the counterproof: when most of the tests that must fail with wrong expectations pass,
 * passing meant nothing. One or a few may be met by chance, by a solution that is right in another way.
 */
export function afterCounterproof(
  tests: readonly TestVerdict[],
  counter: Pick<VerifierRun, 'outcomes'>,
  mustFail: readonly string[],
): TestVerdict[] {
  const passed = new Set(counter.outcomes?.filter(outcome => outcome.status === 'passed').map(outcome => outcome.id));
  const forged = mustFail.filter(id => passed.has(id));
  if (forged.length * 2 <= mustFail.length) return [...tests];
  return tests.map(test => (forged.includes(test.id) ? { ...test, status: 'failed', message: checkedNothing } : test));
}

const checkedNothing = 'It also passes with wrong expectations, so it checked nothing.';

/**
 * The same of a script, which tells its reward apart from its tests: a reward of 1 with wrong expectations is worth nothing,
 * whoever wrote it. @returns the tests that checked nothing; none where all is well
 */
export function forgedTests(counter: VerifyOutcome, mustFail: readonly string[]): TestVerdict[] {
  const passed = mustFail.map((id): TestVerdict => ({ id, expected: 'failToPass', status: 'passed', message: null }));
  if (counter.reward === 1) return passed.map(test => ({ ...test, status: 'failed', message: checkedNothing }));
  const judged = afterCounterproof(passed, { outcomes: scriptTests(counter) }, mustFail);
  return judged.filter(({ status }) => status === 'failed');
}
