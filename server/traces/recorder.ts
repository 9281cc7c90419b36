import { Worker } from 'node:worker_threads';
import { CoachError } from '../../protocol/errors.ts';
import type { AsyncOwner, Disposable } from '../base/disposable.ts';
import { Emitter } from '../base/emitter.ts';
import type { Log } from '../base/log.ts';
import { RecorderCore } from './recorderCore.ts';
import type {
  ConnectionOrigin,
  LaunchOrigin,
  RecorderAnswer,
  RecorderEvent,
  RecorderMessage,
} from './recorderMessages.ts';

/** Bytes that may wait for the recording side; beyond, connections go unrecorded rather than memory full. */
const maxWaitingBytes = 256 * 1024 * 1024;

/** Copies of what went over one connection, in order. Neither call throws or waits. */
export interface Tap {
  bytes(direction: 'up' | 'down', chunk: Uint8Array): void;
  close(): void;
}

/** Turns copied bytes into exchanges in `traces.sqlite3`, off the traffic's path. */
export interface Recorder extends AsyncOwner {
  tap(origin: ConnectionOrigin): Tap;
  /** Notes that a launch was kept from a host. */
  deny(launch: LaunchOrigin, host: string, port: number, reason: string): void;
  /** A value that must be redacted wherever it occurs from now on. */
  hide(secret: string): void;
  onEvent(listener: (event: RecorderEvent) => void): Disposable;
  /** Resolves when everything handed in so far is stored and its events were heard. */
  flush(): Promise<void>;
}

export interface RecorderOptions {
  /** `traces.sqlite3`; made when missing. */
  readonly file: string;
  /** The built worker (`dist/recorder.cjs`), or null to record in this thread. */
  readonly workerFile: string | null;
  /** Silence after which an agent that names no conversation gets a new session. */
  readonly idleSeconds: number;
  readonly log: Log;
}

/** What the worker is started with. */
export interface WorkerOptions {
  readonly file: string;
  readonly idleMs: number;
}

/** Where the messages go: a worker thread, or a core in this one. */
interface RecorderPort {
  post(message: RecorderMessage): void;
  stop(): Promise<void>;
}

/** @throws CoachError `schema.newer`, `disk.readOnly` when the database can't be opened */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const events = new Emitter<RecorderEvent>();
  const flushes = new Map<number, () => void>();
  let waitingBytes = 0;
  let stopped = false;

  const hear = (answer: RecorderAnswer): void => {
    if (answer.kind === 'done') waitingBytes -= answer.sizeBytes;
    else if (answer.kind === 'event') {
      if (answer.event.kind === 'uncaptured') options.log.warn('Traffic went unrecorded.', { ...answer.event });
      events.fire(answer.event);
    } else if (answer.kind === 'flushed') {
      flushes.get(answer.id)?.();
      flushes.delete(answer.id);
    }
  };
  /** Recording is over, traffic is not: who waits is let go. */
  const giveUp = (reason: string): void => {
    if (stopped) return;
    stopped = true;
    options.log.error('The recorder has stopped.', { reason });
    events.fire({ kind: 'uncaptured', host: '*', reason });
    for (const resolve of flushes.values()) resolve();
    flushes.clear();
  };

  const worker = { file: options.file, idleMs: options.idleSeconds * 1000 };
  const port =
    options.workerFile === null
      ? openInProcess(worker, hear)
      : await openWorker(options.workerFile, worker, hear, giveUp);
  const post = (message: RecorderMessage) => {
    if (!stopped) port.post(message);
  };
  let lastConnection = 0;
  let lastFlush = 0;

  return {
    tap(origin) {
      const connection = ++lastConnection;
      let open = true;
      post({ kind: 'open', connection, origin });
      return {
        bytes(direction, bytes) {
          if (!open || stopped) return;
          if (waitingBytes + bytes.length > maxWaitingBytes) {
            open = false;
            post({ kind: 'drop', connection, reason: 'the recorder cannot keep up' });
            return;
          }
          waitingBytes += bytes.length;
          post({ kind: 'bytes', connection, direction, bytes, atMs: Date.now() });
        },
        close() {
          open = false;
          post({ kind: 'close', connection, atMs: Date.now() });
        },
      };
    },
    deny: (launch, host, number, reason) =>
      post({ kind: 'deny', launch, host, port: number, reason, atMs: Date.now() }),
    hide: secret => post({ kind: 'hide', secret }),
    onEvent: listener => events.on(listener),
    flush: () =>
      new Promise(resolve => {
        if (stopped) return resolve();
        flushes.set(++lastFlush, resolve);
        post({ kind: 'flush', id: lastFlush });
      }),
    async dispose() {
      if (stopped) return;
      stopped = true;
      await port.stop();
      for (const resolve of flushes.values()) resolve();
    },
  };
}

/** Messages are worked off between events, so that the traffic that caused them goes first. */
function openInProcess(options: WorkerOptions, hear: (answer: RecorderAnswer) => void): RecorderPort {
  const core = new RecorderCore(options.file, options.idleMs, hear);
  let queue: RecorderMessage[] = [];
  const drain = () => {
    const messages = queue;
    queue = [];
    for (const message of messages) core.accept(message);
  };
  return {
    post(message) {
      if (queue.length === 0) setImmediate(drain);
      queue.push(message);
    },
    async stop() {
      drain();
      core.accept({ kind: 'stop' });
    },
  };
}

async function openWorker(
  file: string,
  options: WorkerOptions,
  hear: (answer: RecorderAnswer) => void,
  giveUp: (reason: string) => void,
): Promise<RecorderPort> {
  const worker = new Worker(file, { workerData: options, name: 'recorder' });
  const exited = new Promise<void>(resolve => worker.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (answer: RecorderAnswer) => {
      if (answer.kind === 'failed') reject(CoachError.fromShape(answer.error));
      else resolve();
    });
  });
  worker.on('message', hear);
  worker.on('error', error => giveUp(error.message));
  worker.once('exit', () => giveUp('its thread ended'));
  // The process must not live for its recorder alone; what is under way is flushed by `stop`.
  worker.unref();
  return {
    post(message) {
      if (message.kind !== 'bytes') return worker.postMessage(message);
      // A plain post would copy the whole buffer that the chunk is a view of.
      const bytes = Uint8Array.from(message.bytes);
      worker.postMessage({ ...message, bytes }, [bytes.buffer]);
    },
    async stop() {
      worker.ref();
      worker.postMessage({ kind: 'stop' } satisfies RecorderMessage);
      await exited;
    },
  };
}
