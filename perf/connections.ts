import { join } from 'node:path';
import { root } from '../scripts/root.ts';
import { type Remote, startProcess } from './calls.ts';
import type { Contestant } from './contestant.ts';
import { type Figure, median, toFigure } from './figure.ts';
import type { Load } from './load.ts';
import { residentBytes } from './threads.ts';
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

async function newHosts(world: PerfWorld): Promise<Figure[]> {
  const { contestants, load, freshHosts } = world;
  const timed = freshHosts.slice(0, freshHosts.length / 2);
  const watched = freshHosts.slice(timed.length);
  const handshakeMs: Values = {};
  const longestMs: Values = {};
  const watcher = await startProcess<Load>(join(root, 'perf', 'load.ts'), []);
  try {
    for (const { name, way } of contestants) {
      const spans = await load.call('handshakes', timed.map(way));
      handshakeMs[name] = median(spans.map(({ startedNs, endedNs }) => endedNs - startedNs)) / 1e6;
      longestMs[name] = median(await delaysDuring(watcher, load, way, watched)) / 1e6;
    }
  } finally {
    await watcher.stop();
  }
  return [
    figureOf('new host, first handshake added, p50', 'ms', '≤ 5 (3)', 5, beyondDirect(handshakeMs)),
    {
      ...figureOf('new host, loop blocked, p50', 'ms', '≤ 2', 2, beyondDirect(longestMs)),
      note: 'by how much the slowest event of another connection is later than without a proxy',
    },
  ];
}

/** The longest way of an event, in nanoseconds, while each of the hosts is connected to for the first time. */
async function delaysDuring(
  watcher: Remote<Load>,
  load: PerfWorld['load'],
  way: Contestant['way'],
  hosts: readonly string[],
): Promise<number[]> {
  await watcher.call('watch', { way: way(), run: 'watched', gapMs: 1 });
  const spans = await load.call('handshakes', hosts.map(way));
  await pause(100);
  const events = await watcher.call('unwatch', undefined as never);
  return spans.map(({ startedNs, endedNs }) =>
    Math.max(
      0,
      ...events
        .filter(({ sentNs, receivedNs }) => sentNs <= endedNs && receivedNs >= startedNs)
        .map(({ sentNs, receivedNs }) => receivedNs - sentNs),
    ),
  );
}

function beyondDirect({ direct = 0, ...values }: Values): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value === null ? null : value - (direct ?? 0)]),
  );
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
