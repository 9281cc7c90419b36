// Benchmarks against named peers, as ratios of the same run: `npm run perf [-- part …]`. Writes perf/results/latest.json
// and, after a whole run, the table in docs/performance.md.
// The part `conformance` takes minutes and runs only when it is named. Ends with 1 when a figure is void: what was stored is not what was sent.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measureBodies } from '../perf/bodies.ts';
import { matrixOf, measureConformance } from '../perf/conformance.ts';
import { measureConnections } from '../perf/connections.ts';
import type { Figure } from '../perf/figure.ts';
import { idleMemory, measureMemory } from '../perf/memory.ts';
import { measureQueries } from '../perf/queries.ts';
import { measureRequests } from '../perf/requests.ts';
import { measureStorage } from '../perf/storage.ts';
import { measureStreams } from '../perf/streams.ts';
import { fillDocument, machine, tableOf } from '../perf/table.ts';
import { measureTrials } from '../perf/trials.ts';
import { type PerfWorld, startWorld } from '../perf/world.ts';
import { build, hostTarget } from './build.ts';
import { root } from './root.ts';

const parts: Readonly<Record<string, (world: PerfWorld) => Promise<Figure[]>>> = {
  requests: measureRequests,
  streams: measureStreams,
  bodies: measureBodies,
  connections: measureConnections,
  memory: measureMemory,
  storage: measureStorage,
  queries: measureQueries,
  trials: measureTrials,
};

const conformance = 'conformance';
const chosen = process.argv.slice(2);
const unknown = chosen.filter(name => !(name in parts) && name !== conformance);
if (unknown.length > 0)
  throw new Error(`No part ${unknown.join(', ')}. Parts: ${[...Object.keys(parts), conformance].join(', ')}`);

await build({ target: hostTarget(), dev: false });
const world = await startWorld();
const figures: Figure[] = [idleMemory(world)];
try {
  for (const [name, measure] of Object.entries(parts)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const startedMs = Date.now();
    figures.push(...(await measure(world)));
    console.log(`Measured ${name} in ${Math.round((Date.now() - startedMs) / 1000)} s.`);
    keep(figures);
  }
} finally {
  await world.stop();
}

const report = [
  `Measured on ${new Date().toISOString().slice(0, 10)}, ${machine()}.`,
  tableOf(figures),
  ...Object.entries(world.missing).map(([peer, reason]) => `Without ${peer}: ${reason}`),
].join('\n\n');
console.log(`\n${report}`);
// The page shows whole runs only: parts of two runs are no pairs.
if (chosen.length === 0) fillDocument('figures', report);
if (chosen.includes(conformance)) {
  const matrix = matrixOf(await measureConformance());
  console.log(`\n${matrix}`);
  fillDocument('conformance', matrix);
}
process.exitCode = figures.some(figure => figure.void !== undefined) ? 1 : 0;

/** Kept after every part: a run that is cut short has measured something all the same. */
function keep(all: readonly Figure[]): void {
  mkdirSync(join(root, 'perf', 'results'), { recursive: true });
  writeFileSync(join(root, 'perf', 'results', 'latest.json'), `${JSON.stringify(all, null, 2)}\n`);
}
