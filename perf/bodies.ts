import { type Figure, median, quantile, toFigure, voidBy } from './figure.ts';
import { faultOf } from './requests.ts';
import { settled } from './threads.ts';
import type { PerfWorld } from './world.ts';

const rounds = 3;
const sizes = [
  { name: '100 KB', sizeBytes: 100_000, count: 40, limitMs: 0.3 },
  { name: '1.2 MB', sizeBytes: 1_200_000, count: 8, limitMs: 1.5 },
] as const;
/** What a delayed acknowledgement on a connection without TCP_NODELAY costs. */
const nagleMs = 35;

/** POST bodies of the sizes that agents send, one at a time. */
export async function measureBodies(world: PerfWorld): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const size of sizes) figures.push(await measureSize(world, size));
  return figures;
}

async function measureSize(world: PerfWorld, size: (typeof sizes)[number]): Promise<Figure> {
  const times = new Map<string, number[][]>();
  const faults = new Map<string, string | null>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, pid, way, stored } of world.contestants) {
      if (faults.get(name)) continue;
      const requests = { run: `post${size.sizeBytes}r${round}`, ...size, connections: 1 };
      try {
        const { timesUs } = await world.load.call('requests', { way: way(), ...requests });
        faults.set(name, stored === null ? null : faultOf(await stored(requests.run, size.count), requests));
        times.set(name, [...(times.get(name) ?? []), timesUs]);
        await settled(pid);
      } catch (error) {
        faults.set(name, error instanceof Error ? error.message : String(error));
      }
    }
  }
  const p50Ms = (name: string) => median((times.get(name) ?? []).map(median)) / 1000;
  const addedMs = (name: string) => (faults.get(name) ? null : p50Ms(name) - p50Ms('direct'));
  const { void: fault, note } = voidBy(faults);
  const p95Ms = (name: string) => quantile((times.get(name) ?? []).flat(), 0.95) / 1000;
  const slow = p95Ms('ours') - p95Ms('direct') > nagleMs;
  const peers = world.contestants.filter(({ name }) => name !== 'direct' && name !== 'ours');
  return toFigure({
    figure: `POST ${size.name}, added p50`,
    unit: 'ms',
    ours: addedMs('ours'),
    peers: Object.fromEntries(peers.map(({ name }) => [name, addedMs(name)])),
    goal: `≤ ${size.limitMs}, no 40 ms mode`,
    reach: value => value <= size.limitMs && !slow,
    void: fault,
    note: slow ? 'more than 5 % wait about 40 ms' : note,
  });
}
