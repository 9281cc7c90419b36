import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { CoachError } from '../../../protocol/errors.ts';
import { within } from '../../base/clock.ts';
import { releaseOptimizers } from '../../base/optimizers.ts';
import type { ChunkBatch } from './chunkBatch.ts';
import type { RecorderAnswer, RecorderMessage, WorkerOptions } from './recorderMessages.ts';

/** Waits before a thread that ended is started again, by how often it ended in a row. */
const restartDelaysMs = [50, 500, 2000, 10_000] as const;
/**
 * Exchanges are short-lived objects. V8 keeps them in two halves of a third of this each, and would begin with halves of
 * 1 MB: a stream of events filled those in the middle, and what it still needed was taken for old.
 */
const youngGenerationMb = 24;
/** How long it may store what is under way when the server ends; what hangs for longer would keep it for ever. */
const longestStopMs = 30_000;
/** A thread that lived this long counts as healthy. */
const healthyMs = 60_000;

/** Where messages go: the recorder's thread, or a core in this one. */
export interface RecorderPort {
  /** Gets ready before the first message. */
  start(): void;
  post(message: RecorderMessage | ChunkBatch): void;
  /** Gives up what it takes, if it has nothing left to do; it is made again with the next message that needs it. */
  rest(): void;
  /** Ends it although it has something in hand, as if it had ended by itself for this reason. */
  giveUp(reason: string): void;
  stop(): Promise<void>;
}

export interface RecorderThreadOptions {
  /** The built worker, `dist/recorder.cjs`. */
  readonly file: string;
  readonly worker: WorkerOptions;
  /** There is work to make up for. */
  readonly isBehind: boolean;
  readonly hear: (answer: RecorderAnswer) => void;
  /** The thread ended by itself and what it had not stored is lost. What is posted from now on reaches the next one. */
  readonly crashed: (reason: string) => void;
  /** The thread rests. What is posted from now on reaches the next one. */
  readonly rested: () => void;
}

/**
 * The recorder's thread, started when there is something to record: it takes 25 MB, and far more after hours of work. It
 * is kept alive until it is told to rest: one that ends is started again, and what is posted meanwhile waits.
 */
export function recordInThread(options: RecorderThreadOptions): RecorderPort {
  const thread = new RecorderThread(options);
  if (options.isBehind) thread.start();
  return thread;
}

class RecorderThread implements RecorderPort {
  readonly #options: RecorderThreadOptions;
  /** From its making to its end. */
  #made: Worker | null = null;
  /** The same once it listens. */
  #worker: Worker | null = null;
  #held: (RecorderMessage | ChunkBatch)[] = [];
  /** Until the thread listens, or has failed to. */
  #starting: Promise<void> | null = null;
  /** From when it is asked to rest until it does, or has said that it can't. */
  #resting: PromiseWithResolvers<void> | null = null;
  #stopped = false;
  /** Why the thread ended, once it has. */
  #reason = '';
  #failures = 0;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: RecorderThreadOptions) {
    this.#options = options;
  }

  async #run(): Promise<void> {
    releaseOptimizers();
    // Read when a thread is set up; the limits of others are below it.
    setFlagsFromString(`--min-semi-space-size=${youngGenerationMb / 3}`);
    const worker = new Worker(this.#options.file, {
      workerData: this.#options.worker,
      name: 'recorder',
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
    });
    this.#made = worker;
    this.#reason = 'its thread ended at its start';
    worker.once('exit', () => {
      if (this.#made === worker) this.#made = null;
    });
    await ready(worker, () => this.#reason);
    if (this.#stopped) return;
    const startedAtMs = Date.now();
    this.#reason = 'its thread ended';
    this.#options.hear({ kind: 'ready' });
    worker.on('message', (answers: readonly RecorderAnswer[]) => {
      for (const answer of answers) {
        if (answer.kind === 'awake') this.#goOn();
        else this.#options.hear(answer);
      }
    });
    worker.on('error', error => {
      this.#reason = error.message;
    });
    worker.once('exit', code => {
      if (this.#resting !== null && code === 0) this.#rested();
      else this.#ended(this.#reason, startedAtMs);
    });
    // The process must not live for its recorder alone; what is under way is stored by `stop`.
    worker.unref();
    this.#worker = worker;
    this.#postHeld();
  }

  post(message: RecorderMessage | ChunkBatch): void {
    if (this.#worker === null || this.#resting !== null) this.#hold(message);
    else if (message.kind === 'batch') {
      this.#worker.postMessage(message, [message.frames.buffer, message.bytes.buffer]);
    } else this.#worker.postMessage(message);
  }

  /** What only changes how things are recorded waits for something to record. */
  #hold(message: RecorderMessage | ChunkBatch): void {
    if (this.#starting === null && message.kind === 'flush') {
      this.#options.hear({ kind: 'flushed', id: message.id });
      return;
    }
    this.#held.push(message);
    if (message.kind !== 'hide' && message.kind !== 'forget') this.start();
  }

  #postHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const message of held) this.post(message);
  }

  rest(): void {
    if (this.#worker === null || this.#resting !== null) return;
    this.#resting = Promise.withResolvers();
    this.#worker.ref();
    this.#worker.postMessage({ kind: 'rest' } satisfies RecorderMessage);
  }

  giveUp(reason: string): void {
    this.#reason = reason;
    void this.#made?.terminate();
  }

  #goOn(): void {
    this.#worker?.unref();
    this.#resting?.resolve();
    this.#resting = null;
    this.#postHeld();
  }

  #rested(): void {
    this.#worker = null;
    this.#starting = null;
    const held = this.#held;
    this.#held = [];
    // What is posted by the listener comes first.
    this.#options.rested();
    this.#held = [...this.#held, ...held];
    this.#goOn();
  }

  start(): void {
    this.#starting ??= this.#attempt();
  }

  #attempt(): Promise<void> {
    return this.#run().catch(error => this.#failed(error));
  }

  async stop(): Promise<void> {
    await within(longestStopMs, this.#storeAll());
    this.#stopped = true;
    clearTimeout(this.#restart);
    await this.#made?.terminate();
  }

  async #storeAll(): Promise<void> {
    await this.#resting?.promise;
    await this.#starting;
    this.#stopped = true;
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === null) return;
    worker.ref();
    const exited = new Promise<void>(resolve => worker.once('exit', () => resolve()));
    worker.postMessage({ kind: 'stop' } satisfies RecorderMessage);
    await exited;
  }

  #ended(reason: string, startedAtMs: number): void {
    this.#worker = null;
    this.#resting?.resolve();
    this.#resting = null;
    if (this.#stopped) return;
    if (Date.now() - startedAtMs >= healthyMs) this.#failures = 0;
    // What is posted by the listener already belongs to the next thread.
    this.#options.crashed(reason);
    this.#startAgain();
  }

  #failed(error: unknown): void {
    if (this.#stopped) return;
    this.#held = [];
    this.#options.crashed(CoachError.from(error).message);
    this.#startAgain();
  }

  #startAgain(): void {
    const delayMs = restartDelaysMs[Math.min(this.#failures++, restartDelaysMs.length - 1)];
    this.#restart = setTimeout(() => {
      this.#starting = this.#attempt();
    }, delayMs).unref();
  }
}

/** `reason`: why it ended, when it does so without a word. @throws what kept it from opening the database */
function ready(worker: Worker, reason: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', ([answer]: readonly RecorderAnswer[]) => {
      if (answer?.kind === 'failed') reject(CoachError.fromShape(answer.error));
      else resolve();
    });
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error(reason())));
  });
}
