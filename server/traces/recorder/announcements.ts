/** Least time between two reports of one session: an agent that works fast must not keep everybody busy with reading. */
const leastMs = 250;
/** Sessions whose last report is remembered. */
const maxKept = 1000;

/** Decides when to report that a session has changed: at once, and then not more often than four times a second. */
export class Announcements {
  readonly #announce: (sessionId: string) => void;
  /** By session, on a clock of this process. */
  readonly #lastMs = new Map<string, number>();
  readonly #due = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(announce: (sessionId: string) => void) {
    this.#announce = announce;
  }

  changed(sessionId: string): void {
    const lastMs = this.#lastMs.get(sessionId);
    const nowMs = performance.now();
    if (lastMs === undefined || nowMs - lastMs >= leastMs) {
      this.#tell(sessionId, nowMs);
      return;
    }
    this.#due.add(sessionId);
    this.#timer ??= setTimeout(() => this.flush(), leastMs).unref();
  }

  /** Reports what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const nowMs = performance.now();
    for (const sessionId of this.#due) this.#tell(sessionId, nowMs);
  }

  #tell(sessionId: string, nowMs: number): void {
    this.#due.delete(sessionId);
    if (this.#lastMs.size === maxKept) this.#lastMs.clear();
    this.#lastMs.set(sessionId, nowMs);
    this.#announce(sessionId);
  }
}
