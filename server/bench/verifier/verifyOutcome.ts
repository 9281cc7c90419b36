import type { ReportFormat } from '../../tasks/testing/reportFormat.ts';
import type { VerifierRun } from './score.ts';

/** What a verifier came to, with all that it left. */
export interface VerifyOutcome extends VerifierRun {
  /** Standard output and error of the tests, as they came. */
  readonly output: Buffer;
  /** The report of the tests as the verifier left it; null when there is none. */
  readonly report: Buffer | null;
  /** What the report is; null for a script, which names its files itself. */
  readonly format: ReportFormat | null;
  /** Everything that a verifier script scored, by name. */
  readonly rewards?: Readonly<Record<string, number>>;
  /** What a verifier script left, by file name. */
  readonly scriptFiles?: ReadonlyMap<string, Buffer>;
}
