import type { PreparedTask } from '../../tasks/preparedTask.ts';

/** An agent that must earn nothing. It runs as any other agent does: in a sandbox of its own, of which the diff is judged. */
export interface Control {
  readonly id: string;
  /** What it does, as words that follow "an agent that". */
  readonly does: string;
  /** Run by `sh` in the repository. Gets the true report of the reference solution, which is more than any agent has. */
  readonly script: string;
}

/** What the cheats are made for: a task judged by tests, and what these say of the reference solution. */
export interface ControlSubject {
  readonly task: PreparedTask;
  /** Ids of all tests that decide. */
  readonly ids: readonly string[];
}
