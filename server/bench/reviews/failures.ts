import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestFailure } from '../../../protocol/reviews.ts';
import type { TrialSummary } from '../../../protocol/runs.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { readReport } from '../testReports/testReports.ts';
import { reportName } from '../trials/trialFiles.ts';

/** Read of what one failure says, and places kept of it: an agent's code may throw errors of any length. */
const maxTraceChars = 100_000;
const maxPlaces = 10;

/** Failed tests of a trial, with the lines of the repository that their report names, in its order. */
export async function failuresOf(trial: TrialSummary, task: PreparedTask): Promise<TestFailure[]> {
  const failed = trial.tests.filter(({ status }) => status === 'failed');
  const traces = failed.length === 0 ? new Map<string, string>() : await tracesOf(trial, task);
  return failed.map(({ id, message }) => ({
    test: id,
    message,
    places: placesIn(traces.get(id) ?? '', task.workdir).map(({ path, line }) => ({
      path,
      line,
      file: task.tests.paths.includes(path) ? join(task.tests.root, path) : null,
    })),
  }));
}

async function tracesOf(trial: TrialSummary, task: PreparedTask): Promise<Map<string, string>> {
  if (task.verifier.kind !== 'tests') return new Map();
  const format = task.verifier.resultFormat;
  const report = await readFile(join(trial.directory, 'verifier', reportName(format)), 'utf8').catch(() => '');
  const outcomes = readReport(format, report, task.workdir) ?? [];
  return new Map(outcomes.map(({ id, trace }) => [id, trace ?? '']));
}

/**
 * Places `path:line` and `File "path", line n` of files below `workdir`, each once, in the order of the text.
 * Dependencies are none of the repository's files.
 */
export function placesIn(trace: string, workdir: string): { path: string; line: number }[] {
  const places = new Map<string, { path: string; line: number }>();
  const pattern = /(?:file:\/\/)?([^\s:()"'<>]{1,500})(?::(\d{1,7})\b|", line (\d{1,7})\b)/g;
  for (const [, named = '', colon, words] of trace.slice(0, maxTraceChars).matchAll(pattern)) {
    const path = toPath(named, workdir);
    const line = Number(colon ?? words);
    if (path !== null && line > 0) places.set(`${path}:${line}`, { path, line });
    if (places.size === maxPlaces) break;
  }
  return [...places.values()];
}

/** Relative to the repository; null for a file outside of it. A bare word before a colon is no file. */
function toPath(named: string, workdir: string): string | null {
  const path = named.startsWith(`${workdir}/`) ? named.slice(workdir.length + 1) : named.replace(/^\.\//, '');
  const parts = path.split('/');
  if (path.startsWith('/') || parts.includes('..') || parts.includes('node_modules')) return null;
  return /\.[A-Za-z]\w*$/.test(path) ? path : null;
}
