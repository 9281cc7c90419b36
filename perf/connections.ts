import type { Contestant } from './contestants.ts';
import { type Figure, median, toFigure } from './figure.ts';
import { cpuTimes, residentBytes } from './threads.ts';
import type { PerfWorld } from './world.ts';

const abortRepeats = 5;
/** An abort that has not reached the upstream by then never will. */
const abortTimeoutMs = 3000;
const largeBytes = 50_000_000;
const stallMs = 2500;
const idleStreams = 1000;
const megabyte = 1_000_000;

type Values = Record<string, number | null>;

/** First connections, abandoned and unread replies, and streams that wait. */
export async function measureConnections(world: PerfWorld): Promise<Figure[]> {
  return [...(await newHosts(world)), await aborts(world), ...(await stalled(world)), ...(await idle(world))];
}

async function newHosts({ contestants, load, freshHosts }: PerfWorld): Promise<Figure[]> {
  const [direct] = contestants;
  const directUs =
    direct === undefined
      ? 0
      : median(
          await load.call(
            'handshakes',
            freshHosts.map(() => direct.way()),
          ),
        );
  const addedMs: Values = {};
  const cpuMs: Values = {};
  for (const { name, pid, way } of proxiesOf(contestants)) {
    const before = cpuTimes(pid);
    const timesUs = await load.call(
      'handshakes',
      freshHosts.map(host => way(host)),
    );
    const after = cpuTimes(pid);
    addedMs[name] = (median(timesUs) - directUs) / 1000;
    cpuMs[name] = before === null || after === null ? null : (after.mainUs - before.mainUs) / freshHosts.length / 1000;
  }
  return [
    figureOf('new host, first handshake added, p50', 'ms', '≤ 5 (3)', 5, addedMs),
    {
      ...figureOf('new host, CPU on the forwarding thread', 'ms', 'loop blocked ≤ 2', 2, cpuMs),
      note: 'the whole handshake, in several turns of the loop: none of them can block it for longer',
    },
  ];
}

async function aborts({ contestants, load, upstream }: PerfWorld): Promise<Figure> {
  const values: Values = {};
  for (const { name, way } of proxiesOf(contestants)) {
    const times: number[] = [];
    for (let repeat = 0; repeat < abortRepeats; repeat++) {
      await upstream.call('abortedAtNs', undefined as never);
      const leftNs = await load.call('abort', { way: way(), run: `abort-${repeat}` });
      times.push(await closedAfterMs(upstream, leftNs));
      if (times.includes(Number.POSITIVE_INFINITY)) break;
    }
    values[name] = times.includes(Number.POSITIVE_INFINITY) ? abortTimeoutMs : median(times);
  }
  const never = Object.entries(values).flatMap(([name, ms]) => (ms === abortTimeoutMs ? [name] : []));
  const note =
    never.length === 0 ? {} : { note: `not within ${abortTimeoutMs} ms, by then given up: ${never.join(', ')}` };
  return { ...figureOf('client abort → upstream closed', 'ms', '≤ 20 (5)', 20, values), ...note };
}

async function closedAfterMs(upstream: PerfWorld['upstream'], leftNs: number): Promise<number> {
  for (const until = Date.now() + abortTimeoutMs; Date.now() < until; ) {
    const closedNs = await upstream.call('abortedAtNs', undefined as never);
    if (closedNs !== null) return (closedNs - leftNs) / 1e6;
    await pause(5);
  }
  return Number.POSITIVE_INFINITY;
}

async function stalled({ contestants, load, upstream }: PerfWorld): Promise<Figure[]> {
  const pulled: Values = {};
  const added: Values = {};
  for (const { name, pid, way } of proxiesOf(contestants)) {
    const before = residentBytes(pid);
    await load.call('stall', { way: way(), run: 'stall', sizeBytes: largeBytes });
    await pause(stallMs);
    const after = residentBytes(pid);
    pulled[name] = (await upstream.call('pulledBytes', undefined as never)) / megabyte;
    added[name] = before === null || after === null ? null : (after - before) / megabyte;
    await load.call('release', undefined as never);
  }
  return [
    figureOf('50 MB response, reader stalled: pulled', 'MB', '≤ 12', 12, pulled),
    figureOf('50 MB response, reader stalled: RSS added', 'MB', '≤ 16', 16, added),
  ];
}

async function idle({ contestants, load }: PerfWorld): Promise<Figure[]> {
  const kilobytes: Values = {};
  const lost: Values = {};
  for (const { name, pid, way } of proxiesOf(contestants)) {
    const before = residentBytes(pid);
    try {
      const first = await load.call('idle', { way: way(), run: 'idle', count: idleStreams });
      await pause(500);
      const after = residentBytes(pid);
      const alive = await load.call('alive', undefined as never);
      kilobytes[name] = before === null || after === null ? null : (after - before) / 1000 / idleStreams;
      lost[name] = idleStreams - Math.min(first, alive);
    } catch {
      kilobytes[name] = null;
      lost[name] = idleStreams;
    }
    await load.call('release', undefined as never);
    await pause(500);
  }
  return [
    figureOf('1,000 idle streams: RSS each', 'KB', '≤ 110', 110, kilobytes),
    figureOf('1,000 idle streams: lost', '', '0', 0, lost),
  ];
}

function proxiesOf(contestants: readonly Contestant[]) {
  return contestants.flatMap(contestant => (contestant.pid === null ? [] : [{ ...contestant, pid: contestant.pid }]));
}

function figureOf(
  figure: string,
  unit: string,
  goal: string,
  limit: number,
  { ours = null, ...peers }: Values,
): Figure {
  return toFigure({ figure, unit, ours, peers, goal, reach: value => value <= limit });
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
