import { lstat } from 'node:fs/promises';
import { assertNever, CoachError } from '../../../protocol/errors.ts';
import { writeDirectoryAtomic } from '../../base/files.ts';
import type { ExportedRun } from './exportedRun.ts';
import { writeHarborJob } from './harborJob.ts';
import { writeSweEvaluation } from './sweEvaluation.ts';

/**
 * Writes a run's results into a directory that is made, whole or not at all.
 * @throws CoachError `input.invalid` when there is something at `output`, or no trial is over
 */
export async function exportRun(exported: ExportedRun, format: 'harbor' | 'swe-bench', output: string): Promise<void> {
  if ((await lstat(output).catch(() => null)) !== null) {
    throw new CoachError('input.invalid', `${output} is there already.`, { hint: 'Name a directory that is not.' });
  }
  if (exported.trials.length === 0) {
    throw new CoachError('input.invalid', `No trial of ${exported.run.id} is over yet.`, { hint: 'Wait for its end.' });
  }
  await writeDirectoryAtomic(output, directory => {
    switch (format) {
      case 'harbor':
        return writeHarborJob(exported, directory, output);
      case 'swe-bench':
        return writeSweEvaluation(exported, directory);
      default:
        return assertNever(format);
    }
  });
}
