import { setImmediate } from 'node:timers/promises';

/** The same, with pauses for others whenever it has taken this long (ms): their turn comes between two of them. */
export async function* withPauses<T>(steps: Iterable<T>, maxMs: number): AsyncGenerator<T> {
  let sinceMs = performance.now();
  for (const step of steps) {
    yield step;
    if (performance.now() - sinceMs < maxMs) continue;
    await setImmediate();
    sinceMs = performance.now();
  }
}
