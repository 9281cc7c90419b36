import type { Contestant } from './contestant.ts';
import { type Figure, toFigure } from './figure.ts';
import { residentBytes, settled } from './threads.ts';
import type { PerfWorld } from './world.ts';

const megabyte = 1_000_000;
/** Ours alone: at its rate the slowest peer would take minutes. */
const rounds = 10;
/** By then it has given back what it needs no more. */
const restMs = 150_000;
const perRound = { count: 10_000, connections: 16, sizeBytes: 0 };

/** Resident memory of every contestant as it starts, before anything was asked of it. */
export function idleMemory({ contestants }: PerfWorld): Figure {
  const values = contestants.flatMap(({ name, idleBytes }) =>
    idleBytes === null ? [] : [[name, idleBytes / megabyte] as const],
  );
  const { ours = null, ...peers } = Object.fromEntries(values);
  const note = 'nothing asked of it yet; Node peers run from TypeScript, which takes about 20 MB of theirs';
  return toFigure({ figure: 'RSS idle', unit: 'MB', ours, peers, goal: '≤ 70', reach: value => value <= 70, note });
}

/** 100,000 requests to a server that did nothing before, all of them stored. */
export async function measureMemory({ startAnother, load }: PerfWorld): Promise<Figure[]> {
  const ours = await startAnother();
  try {
    return await measureGrowth(ours, load);
  } finally {
    await ours.stop();
  }
}

async function measureGrowth(ours: Contestant, load: PerfWorld['load']): Promise<Figure[]> {
  if (ours.stored === null || ours.pid === null) return [];
  const busyMb: (number | null)[] = [];
  const restingMb: (number | null)[] = [];
  let fault: string | null = null;
  for (let round = 1; round <= rounds; round++) {
    const run = `memory${round}`;
    await load.call('requests', { way: ours.way(), run, ...perRound });
    const { rows } = await ours.stored(run, perRound.count);
    if (rows !== perRound.count) fault ??= `${rows} rows for ${perRound.count} requests`;
    busyMb.push(residentMb(ours.pid));
    if (round % (rounds / 2) !== 0) continue;
    await settled(ours.pid);
    await new Promise(resolve => setTimeout(resolve, restMs));
    restingMb.push(residentMb(ours.pid));
  }
  const [middle = null, last = null] = restingMb;
  const slope = last === null || middle === null ? null : (last - middle) / (((rounds / 2) * perRound.count) / 1000);
  return [
    toFigure({
      figure: 'RSS after 100,000 requests, three minutes after the last',
      unit: 'MB',
      ours: last,
      goal: '≤ 120',
      reach: value => value <= 120,
      void: fault,
      note: `at work, after each 10,000: ${busyMb.map(value => value?.toFixed(0) ?? '–').join(' ')}`,
    }),
    toFigure({
      figure: 'RSS growth per 1,000 requests, from a rest after half of them to that after the last',
      unit: 'MB',
      ours: slope,
      goal: '≈ 0 (≤ 0.2)',
      reach: value => value <= 0.2,
      void: fault,
    }),
  ];
}

function residentMb(pid: number): number | null {
  const bytes = residentBytes(pid);
  return bytes === null ? null : bytes / megabyte;
}
