import { posix } from 'node:path';

export type TestStatus = 'passed' | 'failed' | 'skipped';

export interface TestOutcome {
  /** `<file> > <suite> > … > <test>`, see tasks/format.ts. */
  readonly id: string;
  readonly status: TestStatus;
  readonly message: string | null;
  readonly durationMs: number | null;
  /** All that the report says of a failure; absent where it says nothing. */
  readonly trace?: string;
}

/** Length of all ids of a report together: each repeats its suites, so a small file could ask for terabytes. */
const maxIdChars = 64 * 1024 * 1024;

const severity: readonly TestStatus[] = ['passed', 'skipped', 'failed'];

/**
 * Outcomes of a report while it is read. Tests of one id count as one: passed when all of them passed, failed when one
 * failed.
 */
export class Outcomes {
  readonly #byId = new Map<string, TestOutcome>();
  #idChars = 0;

  add(
    idParts: readonly string[],
    status: TestStatus,
    message: string | null = null,
    durationMs: number | null = null,
    trace = '',
  ) {
    this.#idChars += idParts.reduce((sum, part) => sum + part.length + 3, 0);
    if (this.#idChars > maxIdChars) return;
    const id = idParts.join(' > ');
    const before = this.#byId.get(id);
    if (before !== undefined && severity.indexOf(status) <= severity.indexOf(before.status)) return;
    this.#byId.set(id, { id, status, message, durationMs, ...(trace === '' ? {} : { trace }) });
  }

  /** Null when the ids together are longer than any real report's. */
  all(): readonly TestOutcome[] | null {
    return this.#idChars > maxIdChars ? null : [...this.#byId.values()];
  }
}

/** A file as ids name it: relative to the repository, when it lies in there. */
export function relativeTo(workdir: string, file: string): string {
  return posix.isAbsolute(file) ? posix.relative(workdir, file) : posix.normalize(file);
}

/** The first line that says something. */
export function firstLine(text: string | undefined): string | null {
  return text?.trimStart().split('\n', 1)[0] || null;
}
