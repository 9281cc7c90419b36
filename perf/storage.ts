// Size of the database after 1,000 requests of made-up Codex sessions, everything written out again and compared.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { RecorderCore } from '../server/traces/recorder/recorderCore.ts';
import { SearchIndex } from '../server/traces/search/searchIndex.ts';
import { ItemMerger } from '../server/traces/storage/items.ts';
import { TraceWriter } from '../server/traces/storage/traceWriter.ts';
import { TraceStore } from '../server/traces/store.ts';
import { codexSession, type WorkloadTurn } from './codexWorkload.ts';
import { type Figure, toFigure } from './figure.ts';

const sessions = 5;
const turns = 200;
/** Agents work for some seconds between their requests; here a pause comes after several. */
const turnsPerPause = 10;

/** Megabytes on disk, the log written back. Peers are the same bytes kept as they came, and compressed body by body. */
export async function measureStorage(): Promise<Figure[]> {
  const [plain, padded] = [recordWorkload(false), recordWorkload(true)];
  const figure = 'database per 1,000 Codex requests, lossless and searchable';
  return [
    toFigure({
      ...{ figure, unit: 'MB', ours: plain.megabytes, peers: plain.peers, goal: 'at most 6 MB (stretch 4.5)' },
      ...{ reach: ours => ours <= 6, void: plain.fault },
      note:
        `${sessions} sessions × ${turns} turns, ${plain.events} events with their times, sampled turns compared byte ` +
        `for byte; ${plain.noiseMb.toFixed(2)} MB of it are encrypted reasoning, which nothing makes smaller`,
    }),
    toFigure({
      ...{ figure: `${figure}, deltas padded with random text`, unit: 'MB', ours: padded.megabytes },
      ...{ peers: padded.peers, goal: 'at most 20 MB (stretch 17)', reach: ours => ours <= 20, void: padded.fault },
      note: 'padding of 1 to 15 random characters cannot be compressed',
    }),
  ];
}

interface Recorded {
  /** All of the database. */
  readonly megabytes: number;
  /** What no compression can do without: the random bytes of encrypted reasoning. */
  readonly noiseMb: number;
  readonly peers: Readonly<Record<string, number>>;
  readonly events: number;
  /** What did not come back as it was sent. */
  readonly fault: string | null;
}

function recordWorkload(padded: boolean): Recorded {
  const directory = mkdtempSync(join(tmpdir(), 'coach-perf-storage-'));
  const file = join(directory, 'traces.sqlite3');
  try {
    const ids: string[] = [];
    const core = new RecorderCore(file, 120_000, answer => {
      if (answer.kind === 'event' && answer.event.kind === 'exchange') ids.push(answer.event.id);
    });
    let [raw, compressed, events, noise] = [0, 0, 0, 0];
    forEachTurn(padded, (turn, count) => {
      feed(core, count, turn);
      const reply = turn.events.join('');
      raw += turn.request.length + reply.length;
      compressed += zstdCompressSync(turn.request).length + zstdCompressSync(reply).length;
      events += turn.events.length;
      noise += turn.noiseBytes;
      if (count % turnsPerPause === 0) keepInOrder(file);
    });
    core.accept({ kind: 'stop' });
    const store = new TraceStore(file);
    let fault: string | null = ids.length === sessions * turns ? null : `${ids.length} exchanges were stored`;
    forEachTurn(padded, (turn, count) => {
      if (count % 50 === 0 || count === 1) fault ??= differenceOf(store, ids[count - 1] ?? '', turn, count);
    });
    store.dispose();
    const toMegabytes = (bytes: number) => bytes / 1_000_000;
    return {
      megabytes: toMegabytes(sizeOnDisk(file)),
      noiseMb: toMegabytes(noise),
      peers: { 'as they came': toMegabytes(raw), 'zstd body by body': toMegabytes(compressed) },
      events,
      fault,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function forEachTurn(padded: boolean, visit: (turn: WorkloadTurn, count: number) => void): void {
  let count = 0;
  for (let session = 1; session <= sessions; session++) {
    for (const turn of codexSession(session, turns, padded)) visit(turn, ++count);
  }
}

/** When the stream of a turn begins, epoch ms. */
const startOf = (count: number) => 1_790_000_000_000 + count * 60_000;

/** One connection with one request and its reply, as the proxy reports them. `connection` also tells when. */
export function feed(core: RecorderCore, connection: number, turn: WorkloadTurn): void {
  const origin = { host: 'api.openai.com', port: 443, scheme: 'https', launch: null } as const;
  let atMs = startOf(connection);
  const send = (direction: 'up' | 'down', text: string) =>
    core.accept({ kind: 'bytes', connection, direction, bytes: Buffer.from(text), atMs });
  core.accept({ kind: 'open', connection, origin });
  const headers = Object.entries({ ...turn.headers, 'content-length': Buffer.byteLength(turn.request) });
  send('up', `POST /v1/responses HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  send('up', turn.request);
  send('down', 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
  turn.events.forEach((event, index) => {
    atMs += turn.gapsMs[index] ?? 0;
    send('down', `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`);
  });
  send('down', '0\r\n\r\n');
  core.accept({ kind: 'close', connection, atMs });
}

function differenceOf(store: TraceStore, id: string, turn: WorkloadTurn, count: number): string | null {
  const wire = store.wireText(id);
  if (wire?.request !== turn.request) return `request ${count} came back changed`;
  let atMs = startOf(count);
  const same = turn.events.every((text, index) => {
    atMs += turn.gapsMs[index] ?? 0;
    const event = wire.events[index];
    return event?.text === text && event.atMs === atMs;
  });
  return same && wire.events.length === turn.events.length ? null : `the events of reply ${count} came back changed`;
}

/** What the recorder does in quiet moments. */
function keepInOrder(file: string): void {
  const writer = new TraceWriter(file);
  const index = new SearchIndex(writer.database);
  // One by one, as they are when agents send them seconds apart.
  while (index.advance(0));
  const merger = new ItemMerger(writer.database);
  while (merger.advance());
  writer.close();
}

function sizeOnDisk(file: string): number {
  return ['', '-wal', '-shm'].reduce(
    (sum, suffix) => sum + (statSync(file + suffix, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
