import type { Contestant, Stored } from './contestant.ts';
import { type Figure, fairPeer, median, toFigure, voidBy } from './figure.ts';
import { cpuTimes, settled } from './threads.ts';
import { jsonReply, requestBody } from './traffic.ts';
import type { PerfWorld } from './world.ts';

const rounds = 6;
/** Rounds that do not count: proxies run for days, and V8 takes its time to compile what they do often. */
const warmUps = 2;
const serial = { count: 300, connections: 1, sizeBytes: 0 };
const parallel = { count: 6000, connections: 16, sizeBytes: 0 };
/** Some take ten times as long; their share of the run is kept bearable. */
const slow = { ...parallel, count: 600 };
const slowPeers = /^(?:mockttp|mitmproxy)/;

interface Measured {
  readonly p50Us: number[];
  readonly perSecond: number[];
  readonly mainCpuUs: number[];
  readonly allCpuUs: number[];
  readonly laterCpuUs: number[];
  /** Why the numbers mean nothing. */
  fault: string | null;
}

/**
 * Responses requests with a reply of 1 KB, each different: one at a time, and over 16 connections. CPU is counted until
 * the last of them is stored.
 */
export async function measureRequests(world: PerfWorld): Promise<Figure[]> {
  const measured = new Map<string, Measured>();
  for (const { name } of world.contestants) measured.set(name, nothingYet());
  for (let round = -warmUps; round < rounds; round++) {
    for (const contestant of world.contestants) {
      const result = measured.get(contestant.name);
      if (result === undefined || result.fault !== null) continue;
      await measureRound(world, contestant, round, round < 0 ? nothingYet() : result).catch((error: Error) => {
        result.fault = error.message;
      });
    }
  }
  return toFigures(measured);
}

function nothingYet(): Measured {
  return { p50Us: [], perSecond: [], mainCpuUs: [], allCpuUs: [], laterCpuUs: [], fault: null };
}

async function measureRound(world: PerfWorld, contestant: Contestant, round: number, result: Measured): Promise<void> {
  const one = await measureRun(world, contestant, { ...serial, run: `serial${round}` }, result);
  result.p50Us.push(median(one.timesUs));
  await settled(contestant.pid);
  const load = slowPeers.test(contestant.name) ? slow : parallel;
  const before = contestant.pid === null ? null : cpuTimes(contestant.pid);
  const many = await measureRun(world, contestant, { ...load, run: `parallel${round}` }, result);
  const after = contestant.pid === null ? null : cpuTimes(contestant.pid);
  const laterUs = await settled(contestant.pid);
  result.perSecond.push((load.count / many.elapsedMs) * 1000);
  if (before === null || after === null) return;
  result.mainCpuUs.push((after.mainUs - before.mainUs) / load.count);
  result.allCpuUs.push((after.allUs - before.allUs) / load.count);
  result.laterCpuUs.push(laterUs / load.count);
}

async function measureRun(
  world: PerfWorld,
  contestant: Contestant,
  requests: { run: string; count: number; connections: number; sizeBytes: number },
  result: Measured,
) {
  const timing = await world.load.call('requests', { way: contestant.way(), ...requests });
  if (contestant.stored !== null) {
    result.fault ??= faultOf(await contestant.stored(requests.run, requests.count), requests);
  }
  return timing;
}

/** What is wrong with what was stored of a run; null when every row is there and the sampled ones are as they were sent. */
export function faultOf(
  { rows, sample }: Stored,
  { run, count, sizeBytes }: { run: string; count: number; sizeBytes: number },
): string | null {
  if (rows !== count) return `${rows} rows for ${count} requests`;
  if (sample.length === 0) return 'no row could be read';
  for (const { request, response } of sample) {
    const number = new RegExp(`"${run}-(\\d+) `).exec(request)?.[1];
    if (request !== requestBody(`${run}-${number}`, sizeBytes)) return 'a stored request is not the one that was sent';
    if (response !== jsonReply) return 'a stored reply is not the one that was sent';
  }
  return null;
}

function toFigures(measured: ReadonlyMap<string, Measured>): Figure[] {
  const directUs = median(measured.get('direct')?.p50Us ?? []);
  const ours = measured.get('ours');
  const by = (take: (result: Measured) => number) =>
    Object.fromEntries(
      [...measured]
        .filter(([name]) => name !== 'direct' && name !== 'ours')
        .map(([name, result]) => [name, result.fault === null ? orNull(take(result)) : null]),
    );
  const own = (take: (result: Measured) => number) => (ours === undefined ? null : orNull(take(ours)));
  const faults = voidBy(new Map([...measured].map(([name, { fault }]) => [name, fault])));
  const added = (result: Measured) => median(result.p50Us) - directUs;
  const perSecond = (result: Measured) => median(result.perSecond);
  const rate = own(perSecond);
  const times = (peer: string) => (rate ?? Number.NaN) / (by(perSecond)[peer] ?? Number.NaN);
  const [fair, slowest] = [times(fairPeer), times('mitmproxy + SQLite')];
  const ratios = `${fair.toFixed(1)} × http-mitm-proxy, ${slowest.toFixed(1)} × mitmproxy`.replaceAll('NaN', '–');
  return [
    toFigure({
      figure: 'added p50, 1 KB, one connection',
      unit: 'µs',
      ours: own(added),
      peers: by(added),
      goal: '≤ 90 (60)',
      reach: value => value <= 90,
      ...faults,
    }),
    toFigure({
      figure: 'requests/s at 16 connections',
      unit: '1/s',
      ours: rate,
      peers: { direct: orNull(median(measured.get('direct')?.perSecond ?? [])), ...by(perSecond) },
      goal: '≥ 2.6 (3.2) × http-mitm-proxy, ≥ 18 (22) × mitmproxy, both with SQLite',
      reach: () => (Number.isNaN(fair + slowest) ? null : fair >= 2.6 && slowest >= 18),
      void: faults.void,
      note: [ratios, faults.note].filter(Boolean).join('; '),
    }),
    toFigure({
      figure: 'CPU per 1 KB request, forwarding thread',
      unit: 'µs',
      ours: own(result => median(result.mainCpuUs)),
      peers: by(result => median(result.mainCpuUs)),
      goal: '≤ 60 (40)',
      reach: value => value <= 60,
      ...faults,
    }),
    toFigure({
      figure: 'CPU per 1 KB request, all threads, until stored',
      unit: 'µs',
      ours: own(result => median(result.allCpuUs)),
      peers: by(result => median(result.allCpuUs)),
      goal: '–',
      reach: () => null,
      ...faults,
    }),
    toFigure({
      figure: 'CPU per 1 KB request, all threads, afterwards, until it can be searched for',
      unit: 'µs',
      ours: own(result => median(result.laterCpuUs)),
      goal: '–',
      reach: () => null,
      ...faults,
    }),
  ];
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
