/** One line of the table. `null` is a number that this machine could not give; `note` says why. */
export interface Figure {
  readonly figure: string;
  readonly unit: string;
  readonly ours: number | null;
  readonly peers: Readonly<Record<string, number | null>>;
  /** Ours divided by the named peer's, which is http-mitm-proxy with a database unless the goal says otherwise. */
  readonly ratio: number | null;
  readonly goal: string;
  /** Null when it could not be judged. */
  readonly met: boolean | null;
  /** What was stored or received is not what was sent: the numbers mean nothing. */
  readonly void?: string;
  readonly note?: string;
}

interface FigureParts {
  readonly figure: string;
  readonly unit: string;
  readonly ours: number | null;
  readonly peers?: Readonly<Record<string, number | null>>;
  readonly goal: string;
  /** Whether ours reaches the goal, given a number; null when that needs a peer that is missing. */
  readonly reach: (ours: number) => boolean | null;
  readonly void?: string | null;
  readonly note?: string | null;
}

/** The peer that records as ours does: only that is a fair ratio. */
export const fairPeer = 'http-mitm-proxy + SQLite';

/** The proxies that ours is measured beside; what else a figure is compared with is its own affair. */
export const proxyPeers = [fairPeer, 'http-mitm-proxy', 'mockttp + SQLite', 'mitmproxy + SQLite'] as const;

export function toFigure({ ours, peers = {}, reach, void: fault, note, ...rest }: FigureParts): Figure {
  const peer = peers[fairPeer] ?? null;
  return {
    ...rest,
    ours: ours === null ? null : rounded(ours),
    peers: Object.fromEntries(
      Object.entries(peers).map(([name, value]) => [name, value === null ? null : rounded(value)]),
    ),
    ratio: ours === null || peer === null || peer === 0 ? null : rounded(ours / peer),
    met: ours === null || fault ? null : reach(ours),
    ...(fault ? { void: fault } : {}),
    ...(note ? { note } : {}),
  };
}

/** Faults by contestant: one of ours or of the direct way makes a figure void, a peer's only its own number. */
export function voidBy(faults: ReadonlyMap<string, string | null>): { void: string | null; note: string | null } {
  const all = [...faults].flatMap(([name, fault]) => (fault === null ? [] : [{ name, text: `${name}: ${fault}` }]));
  const own = all.filter(({ name }) => name === 'ours' || name === 'direct').map(({ text }) => text);
  const peers = all.filter(({ text }) => !own.includes(text)).map(({ text }) => text);
  return { void: own.join('; ') || null, note: peers.length === 0 ? null : `void: ${peers.join('; ')}` };
}

export function median(list: readonly number[]): number {
  return quantile(list, 0.5);
}

/** NaN for an empty list. */
export function quantile(list: readonly number[], share: number): number {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function rounded(value: number): number {
  return Number(value.toPrecision(value >= 1000 ? 6 : 3));
}
