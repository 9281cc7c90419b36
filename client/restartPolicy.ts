/** Automatic restarts allowed within the window, as language clients do it. */
const maxRestarts = 4;
const windowMs = 3 * 60_000;

/** Decides whether a lost server is started again by itself, or only when the person asks. */
export class RestartPolicy {
  readonly #restarts: number[] = [];

  /** True at most four times in three minutes. */
  allows(nowMs: number): boolean {
    while (this.#restarts[0] !== undefined && nowMs - this.#restarts[0] >= windowMs) this.#restarts.shift();
    if (this.#restarts.length >= maxRestarts) return false;
    this.#restarts.push(nowMs);
    return true;
  }

  reset(): void {
    this.#restarts.length = 0;
  }
}
