import { nodeProblem } from './base/version.ts';

// Asked first: better-sqlite3 crashes the process on an older Node instead of failing.
const problem = nodeProblem();
if (problem !== null) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}

// No top-level await: the bundle is CommonJS.
void import('./background.ts').then(({ runServer }) => runServer());
