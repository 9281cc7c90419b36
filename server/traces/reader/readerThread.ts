import { Worker } from 'node:worker_threads';
import { CoachError } from '../../../protocol/errors.ts';
import { releaseOptimizers } from '../../base/optimizers.ts';
import type { ReaderAnswer, ReaderMessage, ReadingName } from './messages.ts';
import type { Reader } from './reader.ts';
import type { ReadingOptions } from './readingOptions.ts';

/** How long a thread without work is kept: its end gives the memory of what it read back. */
const defaultIdleMs = 20_000;
/** What is read is short-lived: by default V8 lets over 100 MB of it pile up. */
const maxYoungGenerationSizeMb = 8;

interface ReaderThreadOptions extends ReadingOptions {
  /** The built worker, `dist/reader.cjs`. */
  readonly workerFile: string;
  readonly idleMs?: number;
}

/**
 * Reads sessions beside the thread that forwards traffic: a long one takes a second, in which no agent may wait. The
 * thread starts with the first reading and ends when nothing was asked for a while; one that crashed is replaced with
 * the next reading.
 */
export class ReaderThread implements Reader {
  readonly #options: ReaderThreadOptions;
  readonly #waiting = new Map<number, (answer: ReaderAnswer) => void>();
  readonly #secrets: Set<string>;
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;
  #disposed = false;

  constructor(options: ReaderThreadOptions) {
    this.#options = options;
    this.#secrets = new Set(options.secrets);
  }

  hide(secret: string): void {
    if (this.#secrets.has(secret)) return;
    this.#secrets.add(secret);
    this.#worker?.postMessage({ kind: 'hide', secret } satisfies ReaderMessage);
  }

  forget(secret: string): void {
    if (!this.#secrets.delete(secret)) return;
    this.#worker?.postMessage({ kind: 'forget', secret } satisfies ReaderMessage);
  }

  async read<T>(name: ReadingName, params: unknown, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#disposed) throw ending();
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = ++this.#lastId;
    const post = (message: ReaderMessage) => worker.postMessage(message);
    const { promise, resolve, reject } = Promise.withResolvers<ReaderAnswer>();
    // It goes on to its next step at most; nobody waits for it.
    const cancel = () => {
      post({ kind: 'cancel', id });
      reject(signal?.reason);
    };
    this.#waiting.set(id, resolve);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      post({ kind: 'read', id, name, params });
      const answer = await promise;
      if (answer.kind === 'failed') throw CoachError.fromShape(answer.error);
      return answer.result as T;
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#endWhenIdle();
    }
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#idle);
    this.#failAll(ending());
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  #start(): Worker {
    releaseOptimizers();
    const { workerFile, tracesDb, codexDirectories } = this.#options;
    const worker = new Worker(workerFile, {
      workerData: { tracesDb, codexDirectories, secrets: [...this.#secrets] } satisfies ReadingOptions,
      name: 'reader',
      resourceLimits: { maxYoungGenerationSizeMb },
    });
    let reason = 'its thread ended';
    worker.on('message', (answer: ReaderAnswer) => this.#waiting.get(answer.id)?.(answer));
    worker.on('error', error => {
      reason = error.message;
    });
    worker.once('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#failAll(crashed(reason));
    });
    worker.unref();
    return worker;
  }

  #endWhenIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#worker?.postMessage({ kind: 'end' } satisfies ReaderMessage);
      this.#worker = null;
    }, this.#options.idleMs ?? defaultIdleMs).unref();
  }

  #failAll(error: CoachError): void {
    for (const [id, settle] of this.#waiting) settle({ kind: 'failed', id, error: error.toShape() });
  }
}

function crashed(reason: string): CoachError {
  return new CoachError('internal', `The session could not be read: ${reason}.`, {
    hint: 'The recording goes on. Try again; the reading starts afresh.',
  });
}

function ending(): CoachError {
  return new CoachError('cancelled', 'The server is ending.');
}
