import { join } from 'node:path';
import type { Regrade, ReportFormat, RunSummary, TrialSummary } from '../../../protocol/runs.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { version } from '../../base/version.ts';
import { toJson } from '../trials/trialFiles.ts';
import { toRunCtrf } from './ctrf.ts';
import { toHtml } from './html.ts';
import { toJUnit } from './junit.ts';
import { toReport } from './model.ts';

const fileNames: Readonly<Record<ReportFormat, string>> = {
  html: 'report.html',
  json: 'report.json',
  junit: 'junit.xml',
  ctrf: 'ctrf.json',
};

/**
 * Writes a run's report into its directory, in the format asked for.
 * @param regrades the latest of each trial that was judged again
 * @returns the path of the file
 */
export async function writeReport(
  run: RunSummary,
  trials: readonly TrialSummary[],
  format: ReportFormat,
  regrades: readonly Regrade[] = [],
): Promise<string> {
  const file = join(run.directory, fileNames[format]);
  await writeFileAtomic(file, contentOf(run, trials, format, regrades));
  return file;
}

function contentOf(
  run: RunSummary,
  trials: readonly TrialSummary[],
  format: ReportFormat,
  regrades: readonly Regrade[],
): string {
  switch (format) {
    case 'html':
      return toHtml(toReport(run, trials, regrades), version);
    case 'json':
      return toJson(toReport(run, trials, regrades));
    case 'junit':
      return toJUnit(run.id, trials);
    case 'ctrf':
      return toJson(toRunCtrf(run, trials));
  }
}
