// Benchmarks against named peers, as ratios of the same run: `npm run perf`. Writes perf/results/latest.json.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measureRequests } from '../perf/requests.ts';
import { build, hostTarget } from './build.ts';
import { root } from './root.ts';

await build({ target: hostTarget(), dev: false });
const figures = await measureRequests();
console.table(figures.map(({ figure, unit, ours, peers, ratio }) => ({ figure, unit, ours, ...peers, ratio })));
mkdirSync(join(root, 'perf', 'results'), { recursive: true });
writeFileSync(join(root, 'perf', 'results', 'latest.json'), `${JSON.stringify(figures, null, 2)}\n`);
