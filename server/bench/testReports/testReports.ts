import type { ReportFormat } from '../../tasks/testing/reportFormat.ts';
import { parseCtrf, parseJest, parseMocha } from './json.ts';
import { parseJUnit, parsePytest } from './junit.ts';
import type { TestOutcome } from './outcome.ts';
import { parseTap } from './tap.ts';
import { parseCargoTest, parseGoTest, parseUnittest } from './text.ts';

/** Null when the text is no report of that format. An agent may have written it: every reader is linear and bounded. */
type ReportReader = (text: string, workdir: string) => readonly TestOutcome[] | null;

const readers: Readonly<Record<ReportFormat, ReportReader>> = {
  junit: parseJUnit,
  pytest: parsePytest,
  unittest: parseUnittest,
  jest: parseJest,
  mocha: parseMocha,
  go: parseGoTest,
  cargo: parseCargoTest,
  tap: parseTap,
  ctrf: parseCtrf,
};

/**
 * Tests of a report, each id once. Skipped tests, those still to be done and those that are expected to fail have not passed.
 * @returns null when the text is no report of that format
 */
export function readReport(format: ReportFormat, text: string, workdir: string): readonly TestOutcome[] | null {
  return readers[format](text, workdir);
}
