// Benchmarks against named peers, as ratios of the same run: `npm run perf [-- part …]`. Writes perf/results/latest.json
// and, after a whole run, the table in docs/performance.md.
// The parts `editor`, `conformance` and `kills` take minutes and run only when they are named. Ends with 1 when a figure is void: what was stored is not what was sent.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measureBodies } from '../perf/bodies.ts';
import { matrixOf, measureConformance } from '../perf/conformance.ts';
import { measureConnections } from '../perf/connections.ts';
import { measureEditor } from '../perf/editor.ts';
import type { Figure } from '../perf/figure.ts';
import { measureKills } from '../perf/kills.ts';
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

const onlyNamed = ['editor', 'conformance', 'kills'] as const;
const chosen = process.argv.slice(2);
const known: readonly string[] = [...Object.keys(parts), ...onlyNamed];
const unknown = chosen.filter(name => !known.includes(name));
if (unknown.length > 0) throw new Error(`No part ${unknown.join(', ')}. Parts: ${known.join(', ')}`);
const measuredOn = `Measured on ${new Date().toISOString().slice(0, 10)}, ${machine()}.`;

await build({ target: hostTarget(), dev: false });
const figures: Figure[] = [];
if (chosen.length === 0 || chosen.some(name => name in parts)) await compareWithPeers();
if (chosen.includes('editor')) await measureAlone('editor', measureEditor);
if (chosen.includes('kills')) await measureAlone('kills', measureKills);
if (chosen.includes('conformance')) {
  const matrix = matrixOf(await measureConformance());
  console.log(`\n${matrix}`);
  fillDocument('conformance', matrix);
}
process.exitCode = figures.some(figure => figure.void !== undefined) ? 1 : 0;

/** What has a table of its own. */
async function measureAlone(name: 'editor' | 'kills', measure: () => Promise<Figure[]>): Promise<void> {
  const measured = await measure();
  figures.push(...measured);
  keep(figures);
  const report = `${measuredOn}\n\n${tableOf(measured, [])}`;
  console.log(`\n${report}`);
  fillDocument(name, report);
}

/** What is measured beside other proxies and stores, which all run at once. */
async function compareWithPeers(): Promise<void> {
  const world = await startWorld();
  figures.push(idleMemory(world));
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
  const missing = Object.entries(world.missing).map(([peer, reason]) => `Without ${peer}: ${reason}`);
  const report = [measuredOn, tableOf(figures), ...missing].join('\n\n');
  console.log(`\n${report}`);
  // The page shows whole runs only: parts of two runs are no pairs.
  if (chosen.length === 0) fillDocument('figures', report);
}

/** Kept after every part: a run that is cut short has measured something all the same. What was not measured now stays. */
function keep(all: readonly Figure[]): void {
  const directory = join(root, 'perf', 'results');
  const file = join(directory, 'latest.json');
  const before: Figure[] = chosen.length === 0 || !existsSync(file) ? [] : JSON.parse(readFileSync(file, 'utf8'));
  const others = before.filter(({ figure }) => !all.some(each => each.figure === figure));
  mkdirSync(directory, { recursive: true });
  writeFileSync(file, `${JSON.stringify([...others, ...all], null, 2)}\n`);
}
