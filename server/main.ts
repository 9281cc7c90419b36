import { setFlagsFromString } from 'node:v8';
import { holdOptimizers } from './base/optimizers.ts';
import { nodeProblem } from './base/version.ts';

// Asked first: better-sqlite3 crashes the process on an older Node instead of failing.
const problem = nodeProblem();
if (problem !== null) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}

// Forwarding makes little garbage, yet V8 would let its young generation grow to 128 MB before it looks.
setFlagsFromString('--semi-space-growth-factor=1');
holdOptimizers();

// No top-level await: the bundle is CommonJS.
void import('./background.ts')
  .then(({ runServer }) => runServer())
  .catch((error: unknown) => {
    // Who starts a server reads what it leaves.
    process.stderr.write(`${lastWordsOf(error)}\n`);
    process.exit(1);
  });

/** What is wrong and, where that is known, what to do about it. */
function lastWordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, hint = null } = error as Error & { hint?: string | null };
  return hint === null ? message : `${message} ${hint}`;
}
