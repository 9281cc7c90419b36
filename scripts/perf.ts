// Benchmarks against named peers, as ratios of the same run: `npm run perf [-- part …]`. Writes perf/results/latest.json.
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
import { machine, tableOf } from '../perf/table.ts';
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
    console.log(`Measuring ${name} …`);
    figures.push(...(await measure(world)));
    keep(figures);
  }
} finally {
  await world.stop();
}

console.log(`\n${machine()}\n`);
console.log(tableOf(figures));
for (const [peer, reason] of Object.entries(world.missing)) console.log(`Without ${peer}: ${reason}`);
if (chosen.includes(conformance)) console.log(`\n${matrixOf(await measureConformance())}`);
process.exitCode = figures.some(figure => figure.void !== undefined) ? 1 : 0;

/** Kept after every part: a run that is cut short has measured something all the same. */
function keep(all: readonly Figure[]): void {
  mkdirSync(join(root, 'perf', 'results'), { recursive: true });
  writeFileSync(join(root, 'perf', 'results', 'latest.json'), `${JSON.stringify(all, null, 2)}\n`);
}
