import type { AsyncOwner, Disposable } from '../../base/disposable.ts';
import { Emitter } from '../../base/emitter.ts';
import type { Log } from '../../base/log.ts';
import type { ReportOf, UpkeepReport, UpkeepTask } from '../upkeep/upkeepTask.ts';
import { ChunkCollector } from './chunkBatch.ts';
import type {
  ConnectionOrigin,
  ConnectionStart,
  LaunchOrigin,
  RecorderAnswer,
  RecorderEvent,
  RecorderMessage,
} from './recorderMessages.ts';
import { type RecorderPort, recordInThread } from './recorderThread.ts';
import { openSound } from './soundFile.ts';

/** Bytes that may wait for the recording side; beyond, connections go unrecorded rather than memory full. */
const maxWaitingBytes = 64 * 1024 * 1024;
/** And for WebSockets, of which more is lost than what is left out: see `ResumedReader`. */
const maxWaitingSocketBytes = 96 * 1024 * 1024;
/** So much of it must be worked off before such a connection is recorded again. */
const resumeBelowBytes = maxWaitingBytes / 2;
const switched = Buffer.from('HTTP/1.1 101');
/** Longest first chunk that is kept, of connections that may become WebSockets. */
const maxStartBytes = 16 * 1024;
/** How long a chunk may wait for others to be handed over with, and how much may wait. */
const batchMs = 5;
const batchBytes = 256 * 1024;
const defaultRestMs = 60_000;
/** How long the recording side may be silent over what it has in hand. An ordinary batch takes milliseconds, a locked database seconds. */
const defaultHangMs = 60_000;
/** Ended launches whose tokens are still hidden. */
const keptTokens = 64;

/** Copies of what went over one connection, in order. Neither call throws or waits. */
export interface Tap {
  /** Takes the chunk as it is: its bytes must not change any more. */
  bytes(direction: 'up' | 'down', chunk: Uint8Array): void;
  close(): void;
}

/** Turns copied bytes into exchanges in `traces.sqlite3`, off the traffic's path. */
export interface Recorder extends AsyncOwner {
  tap(origin: ConnectionOrigin): Tap;
  /** Traffic is to come: gets ready for it. Without this the first of it waits until that is done. */
  prepare(): void;
  /** Notes that a launch was kept from a host. */
  deny(launch: LaunchOrigin, host: string, port: number, reason: string): void;
  /** A value that must be redacted wherever it occurs from now on. */
  hide(secret: string): void;
  /** No longer: there were too many since. */
  forget(secret: string): void;
  /** The same as `hide` for the token of a launch that begins: it was made just now, so nothing said before can hold it. */
  hideToken(token: string): void;
  /** The token's launch has ended: it is forgotten once many others have ended, as stragglers may still say it. */
  endToken(token: string): void;
  onEvent(listener: (event: RecorderEvent) => void): Disposable;
  /** Keys that requests have shown: what is recorded hides them already. */
  onCredential(listener: (value: string) => void): Disposable;
  /** Resolves when everything handed in so far is stored and its events were heard. */
  flush(): Promise<void>;
  /** Deletes, cleans up or prices anew in small steps, beside the recording. Null when the database failed meanwhile. */
  upkeep<T extends UpkeepTask>(task: T): Promise<ReportOf<T> | null>;
}

export interface RecorderOptions {
  /** `traces.sqlite3`; made when missing. */
  readonly file: string;
  /** The built worker (`dist/recorder.cjs`), or null to record in this thread. */
  readonly workerFile: string | null;
  /** Silence after which an agent that names no conversation gets a new session. */
  readonly idleSeconds: number;
  readonly log: Log;
  /** How long nothing must have been recorded until the worker rests; a minute unless told otherwise. */
  readonly restMs?: number;
  /** How long the worker may leave all that it has to do unanswered until it is replaced; a minute unless told otherwise. */
  readonly hangMs?: number;
}

/** @throws CoachError `schema.newer`, `disk.readOnly` when the database can't be opened */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const recorder = new CopyingRecorder(options.log);
  await recorder.start(options);
  return recorder;
}

class CopyingRecorder implements Recorder {
  readonly #log: Log;
  readonly #events = new Emitter<RecorderEvent>();
  readonly #credentials = new Emitter<string>();
  readonly #flushes = new Map<number, () => void>();
  readonly #upkeeps = new Map<number, (report: UpkeepReport | null) => void>();
  /** Kept for the next thread. */
  readonly #secrets = new Set<string>();
  /** Tokens of ended launches, the oldest first. */
  readonly #ended = new Set<string>();
  readonly #chunks = new ChunkCollector();
  #port: RecorderPort | null = null;
  #timer: NodeJS.Timeout | null = null;
  #waitingBytes = 0;
  #lastConnection = 0;
  #lastFlush = 0;
  /** Counts the threads: each has to be told of a connection before its bytes. */
  #generation = 0;
  /** Numbers of the connections that are open. */
  readonly #open = new Set<number>();
  #lastUseMs = 0;
  /** How long nothing was answered while something waited, as often as that was looked at: a stopped process does not count. */
  #hangingMs = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  async start({ file, workerFile, idleSeconds, ...times }: RecorderOptions): Promise<void> {
    const worker = { file, idleMs: idleSeconds * 1000 };
    const hear = (answer: RecorderAnswer) => this.#hear(answer);
    if (workerFile === null) {
      this.#port = (await import('./recorderInThisThread.ts')).recordInThisThread(worker, hear);
      return;
    }
    const crashed = (reason: string) => this.#crashed(reason);
    const rested = () => this.#tellSecrets();
    const { isBehind, damaged } = openSound(file);
    this.#port = recordInThread({ file: workerFile, worker, isBehind, hear, crashed, rested });
    const { restMs = defaultRestMs, hangMs = defaultHangMs } = times;
    const lookMs = restMs / 12;
    this.#watch = setInterval(() => {
      this.#restIfUnused(restMs);
      this.#replaceIfHanging(lookMs, hangMs);
    }, lookMs).unref();
    // Whoever listens does so only once this is made.
    if (damaged !== null) setImmediate(() => hear({ kind: 'event', event: { kind: 'storage', ...damaged } }));
  }

  prepare(): void {
    this.#port?.start();
  }

  tap(origin: ConnectionOrigin): Tap {
    const connection = ++this.#lastConnection;
    let generation = this.#generation;
    let skipping = false;
    const start = new StartKeeper();
    this.#post({ kind: 'open', connection, origin });
    this.#open.add(connection);
    return {
      bytes: (direction, chunk) => {
        start.keep(direction, chunk);
        if (skipping && this.#waitingBytes > resumeBelowBytes) return;
        if (generation !== this.#generation) {
          generation = this.#generation;
          this.#post({ kind: 'open', connection, origin, resumed: start.kept() });
        }
        const limit = start.isWebSocket ? maxWaitingSocketBytes : maxWaitingBytes;
        if (this.#waitingBytes + chunk.length <= limit) {
          skipping = false;
          this.#take(connection, direction, chunk);
        } else {
          skipping = true;
          this.#post({ kind: 'gap', connection, reason: 'the recorder cannot keep up' });
        }
      },
      close: () => {
        this.#open.delete(connection);
        this.#post({ kind: 'close', connection, atMs: Date.now() });
      },
    };
  }

  deny(launch: LaunchOrigin, host: string, port: number, reason: string): void {
    this.#post({ kind: 'deny', launch, host, port, reason, atMs: Date.now() });
  }

  hide(secret: string): void {
    this.#ended.delete(secret);
    this.#secrets.add(secret);
    this.#post({ kind: 'hide', secret });
  }

  forget(secret: string): void {
    if (this.#secrets.delete(secret)) this.#post({ kind: 'forget', secret });
  }

  hideToken(token: string): void {
    this.#secrets.add(token);
    this.#post({ kind: 'hide', secret: token, fresh: true });
  }

  endToken(token: string): void {
    this.#ended.add(token);
    const [oldest] = this.#ended;
    if (this.#ended.size <= keptTokens || oldest === undefined) return;
    this.#ended.delete(oldest);
    this.#secrets.delete(oldest);
    this.#post({ kind: 'forget', secret: oldest });
  }

  onEvent(listener: (event: RecorderEvent) => void): Disposable {
    return this.#events.on(listener);
  }

  onCredential(listener: (value: string) => void): Disposable {
    return this.#credentials.on(listener);
  }

  upkeep<T extends UpkeepTask>(task: T): Promise<ReportOf<T> | null> {
    return new Promise(resolve => {
      if (this.#port === null) return resolve(null);
      this.#upkeeps.set(++this.#lastFlush, report => resolve(report as ReportOf<T> | null));
      this.#post({ kind: 'upkeep', id: this.#lastFlush, task });
    });
  }

  flush(): Promise<void> {
    return new Promise(resolve => {
      if (this.#port === null) return resolve();
      this.#flushes.set(++this.#lastFlush, resolve);
      this.#post({ kind: 'flush', id: this.#lastFlush });
    });
  }

  async dispose(): Promise<void> {
    clearInterval(this.#watch);
    this.#send();
    const port = this.#port;
    this.#port = null;
    await port?.stop();
    this.#releaseWaiters();
  }

  #take(connection: number, direction: 'up' | 'down', chunk: Uint8Array): void {
    this.#waitingBytes += chunk.length;
    this.#chunks.add(connection, direction, chunk, Date.now());
    if (this.#chunks.sizeBytes >= batchBytes) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), batchMs);
  }

  #restIfUnused(restMs: number): void {
    const inUse = this.#open.size + this.#waitingBytes + this.#flushes.size + this.#upkeeps.size > 0;
    if (!inUse && Date.now() - this.#lastUseMs >= restMs) this.#port?.rest();
  }

  /** Whatever it is that holds it up must not cost more than what it has in hand. */
  #replaceIfHanging(lookMs: number, hangMs: number): void {
    // Upkeep may take hours, in steps between which a flush is answered.
    if (this.#upkeeps.size > 0 && this.#flushes.size === 0) void this.flush();
    this.#hangingMs = this.#waitingBytes + this.#flushes.size === 0 ? 0 : this.#hangingMs + lookMs;
    if (this.#hangingMs < hangMs) return;
    this.#hangingMs = 0;
    this.#port?.giveUp(`it took more than ${hangMs / 1000} s for what it was given`);
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#chunks.take();
    if (batch !== null) this.#port?.post(batch);
  }

  /** In order with the chunks. */
  #post(message: RecorderMessage): void {
    this.#send();
    this.#lastUseMs = Date.now();
    this.#port?.post(message);
  }

  #hear(answer: RecorderAnswer): void {
    this.#hangingMs = 0;
    if (answer.kind === 'done') {
      this.#waitingBytes -= answer.sizeBytes;
    } else if (answer.kind === 'event') {
      if (answer.event.kind === 'uncaptured') this.#log.warn('Traffic went unrecorded.', { ...answer.event });
      if (answer.event.kind === 'storage')
        this.#log.warn(`The storage of traces ${answer.event.over ? 'had' : 'has'} a fault.`, { ...answer.event });
      this.#events.fire(answer.event);
    } else if (answer.kind === 'credential') {
      this.#credentials.fire(answer.value);
    } else if (answer.kind === 'upkept') {
      if (answer.fault !== null) this.#log.warn('Upkeep of the traces failed.', { reason: answer.fault });
      this.#upkeeps.get(answer.id)?.(answer.report);
      this.#upkeeps.delete(answer.id);
    } else if (answer.kind === 'flushed') {
      this.#flushes.get(answer.id)?.();
      this.#flushes.delete(answer.id);
    }
  }

  /** What was under way goes unrecorded, traffic goes on, and the next thread records what begins from now on. */
  #crashed(reason: string): void {
    this.#generation++;
    this.#chunks.take();
    this.#waitingBytes = 0;
    this.#tellSecrets();
    this.#log.error('The recorder has stopped and is started again.', { reason });
    const lost = { host: '*', reason: `The recorder stopped: ${reason}` };
    this.#port?.post({ kind: 'lost', ...lost });
    this.#events.fire({ kind: 'uncaptured', ...lost });
    this.#releaseWaiters();
  }

  /** To the next thread: it knows none of them. */
  #tellSecrets(): void {
    for (const secret of this.#secrets) this.#port?.post({ kind: 'hide', secret });
  }

  #releaseWaiters(): void {
    for (const resolve of this.#flushes.values()) resolve();
    this.#flushes.clear();
    for (const resolve of this.#upkeeps.values()) resolve(null);
    this.#upkeeps.clear();
  }
}

/** Keeps the first chunk of each direction, while they may be those of a WebSocket's beginning. */
class StartKeeper {
  #up: Uint8Array | null = null;
  #down: Uint8Array | null = null;
  #isOver = false;
  #isWebSocket = false;

  keep(direction: 'up' | 'down', chunk: Uint8Array): void {
    if (this.#isOver) return;
    // A copy: the chunk may be a piece of a much larger buffer.
    if (this.#up === null && direction === 'up' && chunk[0] === 0x47 && chunk.length <= maxStartBytes) {
      this.#up = Uint8Array.from(chunk);
      return;
    }
    this.#isOver = true;
    this.#isWebSocket = this.#up !== null && switched.every((byte, index) => chunk[index] === byte);
    if (direction === 'down' && chunk.length <= maxStartBytes) this.#down = Uint8Array.from(chunk);
    else this.#up = null;
  }

  get isWebSocket(): boolean {
    return this.#isWebSocket;
  }

  kept(): ConnectionStart {
    return { up: this.#up, down: this.#down };
  }
}
