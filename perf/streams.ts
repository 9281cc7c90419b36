import type { Contestant } from './contestant.ts';
import { type Figure, median, toFigure, voidBy } from './figure.ts';
import { cpuTimes, settled } from './threads.ts';
import type { PerfWorld } from './world.ts';

const rounds = 4;
/** Rounds that do not count: V8 still compiles parts of a recorder after a thousand streams. */
const warmUps = 5;
const burst = { count: 200, events: 500 };
const warmUp = { count: 300, events: 500 };
const paced = { count: 4, events: 25, gapMs: 20 };

interface Streamed {
  readonly firstUs: number[];
  readonly cpuUs: number[];
  readonly laterCpuUs: number[];
  readonly delaysUs: number[];
  fault: string | null;
}

/** Streams of 500 events at once, and streams with 20 ms between events. */
export async function measureStreams(world: PerfWorld): Promise<Figure[]> {
  const streamed = new Map<string, Streamed>();
  for (const { name } of world.contestants) {
    streamed.set(name, { firstUs: [], cpuUs: [], laterCpuUs: [], delaysUs: [], fault: null });
  }
  await warm(world);
  for (let round = 0; round < rounds; round++) {
    for (const contestant of world.contestants) {
      const result = streamed.get(contestant.name);
      if (result === undefined || result.fault !== null) continue;
      await measureRound(world, contestant, round, result).catch((error: Error) => {
        result.fault = error.message;
      });
    }
  }
  return toFigures(streamed);
}

/** As long-lived as proxies are, they have compiled what they do often; a failure shows in what is measured. */
async function warm({ contestants, load }: PerfWorld): Promise<void> {
  for (let round = 0; round < warmUps; round++) {
    for (const { name, pid, way, stored } of contestants) {
      const run = `warmUp${round}`;
      const count = name.startsWith('mitmproxy') ? warmUp.count / 5 : warmUp.count;
      await load.call('bursts', { way: way(), run, ...warmUp, count }).catch(() => undefined);
      await stored?.(run, count).catch(() => undefined);
      await settled(pid);
    }
  }
}

async function measureRound({ load }: PerfWorld, contestant: Contestant, round: number, result: Streamed) {
  const run = `burst${round}`;
  // The first stream of a connection pays for its handshake.
  await load.call('bursts', { way: contestant.way(), run: `${run}w`, count: 1, events: burst.events });
  const before = contestant.pid === null ? null : cpuTimes(contestant.pid);
  const { firstUs } = await load.call('bursts', { way: contestant.way(), run, ...burst });
  const stored = (await contestant.stored?.(run, burst.count)) ?? null;
  if (stored !== null && stored.rows !== burst.count) result.fault = `${stored.rows} rows for ${burst.count} streams`;
  const after = contestant.pid === null ? null : cpuTimes(contestant.pid);
  result.firstUs.push(median(firstUs));
  const laterUs = await settled(contestant.pid);
  if (before !== null && after !== null) {
    result.cpuUs.push((after.allUs - before.allUs) / burst.count);
    result.laterCpuUs.push(laterUs / burst.count);
  }
  result.delaysUs.push(median(await load.call('paced', { way: contestant.way(), run: `paced${round}`, ...paced })));
}

function toFigures(streamed: ReadonlyMap<string, Streamed>): Figure[] {
  const direct = streamed.get('direct');
  const peers = [...streamed].filter(([name]) => name !== 'direct' && name !== 'ours');
  const faults = voidBy(new Map([...streamed].map(([name, { fault }]) => [name, fault])));
  const figure = (name: string, goal: string, limit: number, take: (result: Streamed) => number) => {
    const of = (result: Streamed | undefined) => {
      const value = result === undefined || result.fault !== null ? Number.NaN : take(result);
      return Number.isNaN(value) ? null : value;
    };
    return toFigure({
      figure: name,
      unit: 'µs',
      ours: of(streamed.get('ours')),
      peers: Object.fromEntries(peers.map(([peer, result]) => [peer, of(result)])),
      goal,
      reach: value => value <= limit,
      ...faults,
    });
  };
  const later = toFigure({
    figure: 'CPU per 500-event stream, all threads, afterwards, until it can be searched for',
    unit: 'µs',
    ours: median(streamed.get('ours')?.laterCpuUs ?? []),
    goal: '–',
    reach: () => null,
    ...faults,
  });
  const over = (list: 'firstUs' | 'delaysUs') => (result: Streamed) =>
    median(result[list]) - median(direct?.[list] ?? []);
  return [
    figure('CPU per 500-event stream, all threads, until stored', '≤ 800 (400)', 800, ({ cpuUs }) => median(cpuUs)),
    later,
    figure('first event of a 500-event burst, added p50', '≤ 300 (220)', 300, over('firstUs')),
    figure('per event at 20 ms gaps, added p50', '≤ 200 (150)', 200, over('delaysUs')),
  ];
}
