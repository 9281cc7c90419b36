import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import { applyMutant, type Mutant, respaced } from '../../tasks/mutation/mutant.ts';
import type { TestSetup } from '../../tasks/testing/testCommand.ts';
import { runEach } from '../scheduler.ts';
import type { VerifierDeps } from './verify.ts';
import type { VerifyOutcome } from './verifyOutcome.ts';
import { runWritten, type WrittenTests } from './writtenTests.ts';

/** Sandboxes of one judgement at a time. */
const concurrency = 2;

/** What a mutant may take: a fault can make a loop endless, but a busy machine must not look like one. */
const slowness = 5;
const leastSec = 20;

export interface MutationRuns {
  readonly written: WrittenTests;
  readonly setup: TestSetup;
  /** Time that the tests took on the code itself. */
  readonly tookMs: number;
  readonly trialId: string;
  /** Ours to write below. */
  readonly scratch: string;
  readonly deps: VerifierDeps;
}

/** Runs the tests on each mutant, every one in a fresh sandbox, so that no test can know what came before. */
export async function runMutants(
  mutants: readonly Mutant[],
  runs: MutationRuns,
  signal: AbortSignal,
): Promise<{ mutant: Mutant; run: VerifyOutcome }[]> {
  const found = new Map<Mutant, VerifyOutcome>();
  await runEach(mutants, concurrency, async mutant => {
    const name = `mutant-${mutants.indexOf(mutant)}`;
    const more = await put(runs, name, new Map([[mutant.file, mutated(runs.written, mutant)]]));
    found.set(mutant, await once(runs, name, more, signal));
  });
  return mutants.flatMap(mutant => {
    const run = found.get(mutant);
    return run === undefined ? [] : [{ mutant, run }];
  });
}

/**
 * Runs the tests on programs that differ from the code in nothing but spaces, at the very places of the mutants. Tests
 * that fail here compare the text of the code, or say something else each time: what they say of mutants means nothing.
 */
export async function runRespaced(
  mutants: readonly Mutant[],
  runs: MutationRuns,
  signal: AbortSignal,
): Promise<VerifyOutcome[]> {
  const found: VerifyOutcome[] = [];
  // Half of the places each, so that one spelling known to the tests is not enough.
  await runEach([0, 1], concurrency, async half => {
    const places = mutants.filter((_, index) => index % 2 === half || mutants.length === 1);
    const files = [...new Set(places.map(({ file }) => file))].map(file => {
      const offsets = places.filter(place => place.file === file).map(({ offset }) => offset);
      return [file, respaced(runs.written.sources.get(file) ?? '', offsets)] as const;
    });
    const name = `respaced-${half}`;
    found.push(await once(runs, name, await put(runs, name, new Map(files)), signal));
  });
  return found;
}

function once(runs: MutationRuns, name: string, more: string, signal: AbortSignal): Promise<VerifyOutcome> {
  const { written, setup, tookMs, trialId, deps } = runs;
  const timeoutSec = Math.min(
    written.task.verifier.timeoutSec,
    Math.max(leastSec, Math.ceil((slowness * tookMs) / 1000)),
  );
  return runWritten(`${trialId}.${name}`, written, setup, { timeoutSec, more }, deps, signal);
}

/** @throws CoachError `verifier.failed` when the sources are not those that the task was validated with */
function mutated({ sources }: WrittenTests, mutant: Mutant): string {
  const text = applyMutant(sources.get(mutant.file) ?? '', mutant);
  if (text !== null) return text;
  throw new CoachError('verifier.failed', `The fault for ${mutant.file}:${mutant.line} does not fit the code.`, {
    hint: 'Validate the task again: codex-coach task validate',
  });
}

async function put({ scratch }: MutationRuns, name: string, files: ReadonlyMap<string, string>): Promise<string> {
  const directory = join(scratch, name);
  for (const [path, text] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return directory;
}
