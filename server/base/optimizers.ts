import { setFlagsFromString } from 'node:v8';

/** V8's optimizing compilers. Tiering asks for these flags each time, so they may change while the process runs. */
const optimizers = ['maglev', 'turbofan'] as const;

/** Set in the server's first file and asked for in its second, which has a copy of this one. */
const mark = Symbol.for('codex-coach.optimizersHeld');
const shared = globalThis as { [mark]?: boolean };

/**
 * Keeps V8 from optimizing: 6 to 9 MB of its code are not even read then, in a server that has only started and waits.
 * (docs/decisions/0034-memory-at-rest.md)
 */
export function holdOptimizers(): void {
  shared[mark] = true;
  for (const name of optimizers) setFlagsFromString(`--no-${name}`);
}

/** There is work to do. Asked for before a thread starts: what optimizes a thread is set up with it. */
export function releaseOptimizers(): void {
  if (shared[mark] !== true) return;
  shared[mark] = false;
  for (const name of optimizers) setFlagsFromString(`--${name}`);
}
