import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import { toIso } from '../base/clock.ts';
import type { LastTests } from './nameProblems.ts';

/** What is known of the trials of a repository. */
export interface TrialHistory {
  /** Newest first. */
  endedTrials(repository: string, limit: number): readonly TrialSummary[];
  run(runId: string): RunSummary | null;
}

/** How far back a repository's trials are looked through for those of one task. */
const lookBack = 200;
/** A test that an agent's code keeps from loading runs in another trial. */
const maxTrials = 10;
const maxReportBytes = 8 * 1024 * 1024;

const Report = z.object({ results: z.object({ tests: z.array(z.object({ name: z.string() })) }) });

export function trialsOf(history: TrialHistory, root: string, task: string): TrialSummary[] {
  return history.endedTrials(root, lookBack).filter(trial => trial.task === task);
}

/** The tests that ran when agents last worked on a task; null when none did or nothing was kept. */
export async function lastTests(trials: readonly TrialSummary[]): Promise<LastTests | null> {
  const ids = new Set<string>();
  let newest: TrialSummary | undefined;
  for (const trial of trials.slice(0, maxTrials)) {
    const names = await testsIn(join(trial.directory, 'verifier', 'ctrf.json'));
    for (const name of names) ids.add(name);
    if (names.length > 0) newest ??= trial;
  }
  if (newest === undefined) return null;
  const day = (newest.finishedAt ?? toIso(0)).slice(0, 10);
  return { ids: [...ids], of: `${newest.agentLabel} #${newest.attempt}, ${day}` };
}

/** None where there is no report, or none that can be read. */
async function testsIn(file: string): Promise<string[]> {
  try {
    if ((await lstat(file)).size > maxReportBytes) return [];
    const report = Report.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return report.success ? report.data.results.tests.map(({ name }) => name) : [];
  } catch {
    return [];
  }
}
