import { join } from 'node:path';
import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import { writeFileAtomic } from '../base/files.ts';
import { version } from '../base/version.ts';
import { toHtml } from './reportHtml.ts';
import { toReport } from './reportModel.ts';
import { toJson } from './trialFiles.ts';

/**
 * Writes a run's report: `report.html` for people, `report.json` with the same figures beside it.
 * @returns the path of the HTML file
 */
export async function writeReport(run: RunSummary, trials: readonly TrialSummary[]): Promise<string> {
  const report = toReport(run, trials);
  const file = join(run.directory, 'report.html');
  await writeFileAtomic(join(run.directory, 'report.json'), toJson(report));
  await writeFileAtomic(file, toHtml(report, version));
  return file;
}
