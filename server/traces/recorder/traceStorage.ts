import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { damagedError, type StorageFault, storageFault } from '../../base/sqlite.ts';
import type { Redactor } from '../redaction/redaction.ts';
import { setAside } from '../storage/traceFile.ts';
import { TraceWriter } from '../storage/traceWriter.ts';
import { TraceStore } from '../store.ts';
import { ExchangeRecorder } from './exchangeRecorder.ts';
import { reasonOf, type StorageNews } from './storageNews.ts';

/** What can't be stored now is kept up to this size, as it came over the wire. */
const maxWaitingBytes = 64 * 1024 * 1024;
const retryMs = 1000;

/** One opened database. All of it is replaced when the file under it is. */
export interface Opened {
  readonly writer: TraceWriter;
  readonly store: TraceStore;
  readonly exchanges: ExchangeRecorder;
}

/** Writes, and returns what is to be told when it is stored. */
type Work = (opened: Opened) => (() => void) | undefined;

interface Waiting {
  readonly work: Work;
  readonly sizeBytes: number;
}

export interface TraceStorageOptions {
  /** `traces.sqlite3` */
  readonly file: string;
  readonly redactor: Redactor;
  readonly idleMs: number;
  /** Told once per cause why nothing can be stored, and once when that is over. */
  readonly faulted: (news: StorageNews) => void;
  /** Told how many exchanges can't be stored any more, and why. */
  readonly lost: (count: number, reason: string) => void;
}

/**
 * The database as the recording side uses it. A fault of the disk, or of whoever deletes, locks or damages the file,
 * reaches nobody's traffic: what is to be written waits, and is written when the cause has ended.
 */
export class TraceStorage {
  readonly #options: TraceStorageOptions;
  #opened: Opened | null = null;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #grouping = false;
  #fault: StorageFault | null = null;
  #told: StorageNews | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** @throws CoachError `schema.newer`, `disk.readOnly`, `disk.full` */
  constructor(options: TraceStorageOptions) {
    this.#options = options;
    try {
      this.#opened = this.#open();
    } catch (error) {
      const kept = storageFault(error) === 'damaged' ? this.#replaceDamaged() : null;
      if (kept === null) throw error;
      this.#opened = this.#open();
      // Whoever listens does so only once this is made.
      const reason = reasonOf('damaged', options.file, kept);
      setImmediate(() => options.faulted({ fault: 'damaged', reason, over: true }));
    }
  }

  /** Does some writing now, or as soon as it can be done. It is all or nothing: `work` may be called again. */
  write(sizeBytes: number, work: Work): void {
    if (!this.#grouping && this.#waiting.length === 0 && this.#try(work)) return;
    if (this.#grouping && this.#waitingBytes + sizeBytes > maxWaitingBytes) this.#writeGroup();
    if (this.#waitingBytes + sizeBytes > maxWaitingBytes) {
      this.#lost++;
      return;
    }
    this.#waiting.push({ work, sizeBytes });
    this.#waitingBytes += sizeBytes;
  }

  /** What `work` has to write is written at its end, in one commit: most of a small exchange's cost is the commit. */
  group(work: () => void): void {
    this.#grouping = true;
    try {
      work();
    } finally {
      this.#grouping = false;
      this.#writeGroup();
    }
  }

  #writeGroup(): void {
    if (this.#fault !== null || this.#waiting.length === 0) return;
    const group = this.#waiting;
    const stored: ReturnType<Work>[] = [];
    try {
      const opened = this.#current();
      opened.exchanges.together(() => {
        for (const { work } of group) stored.push(work(opened));
      });
    } catch {
      // Nothing of it is stored. Each alone finds the one at fault, and what the fault is.
      this.retry();
      return;
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const tell of stored) tell?.();
  }

  /** Nothing waits to be written, as far as is known. */
  get isSound(): boolean {
    return this.#fault === null && this.#waiting.length === 0;
  }

  /** Tries to write what waits. */
  retry(): void {
    clearTimeout(this.#timer);
    while (this.#waiting[0] !== undefined) {
      const { work, sizeBytes } = this.#waiting[0];
      if (!this.#try(work)) return;
      this.#waiting.shift();
      this.#waitingBytes -= sizeBytes;
    }
    if (this.#fault === null) return;
    this.#fault = null;
    this.#opened?.writer.waitForLocks(true);
    this.#tellLost('They did not fit into memory while nothing could be stored.');
    if (this.#told !== null) this.#options.faulted({ ...this.#told, over: true });
    this.#told = null;
  }

  #tellLost(reason: string): void {
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0) this.#options.lost(lost, reason);
  }

  /** Work that may be left undone when there is a fault; undefined then. */
  whenSound<T>(work: (opened: Opened) => T): T | undefined {
    if (this.#fault !== null || this.#opened === null) return undefined;
    try {
      return this.#opened.writer.look() === 'whole' ? work(this.#opened) : undefined;
    } catch (error) {
      if (storageFault(error) === null) throw error;
      return undefined;
    }
  }

  close(): void {
    this.retry();
    clearTimeout(this.#timer);
    this.#lost += this.#waiting.length;
    this.#tellLost('They could not be stored before the recorder was stopped.');
    this.#close();
  }

  /** True when the work is done or can't ever be; false when it is to be tried again. */
  #try(work: Work): boolean {
    let tell: ReturnType<Work>;
    try {
      tell = work(this.#current());
    } catch (error) {
      const fault = storageFault(error);
      if (fault === null) {
        this.#options.lost(1, error instanceof Error ? error.message : String(error));
        return true;
      }
      this.#suffer(fault);
      return false;
    }
    tell?.();
    return true;
  }

  #suffer(fault: StorageFault): void {
    const isNew = fault !== this.#fault;
    this.#fault = fault;
    const kept = fault === 'damaged' ? this.#replaceDamaged() : null;
    if (isNew) {
      this.#told = { fault, reason: reasonOf(fault, this.#options.file, kept), over: false };
      this.#options.faulted(this.#told);
    }
    if (fault === 'failed') this.#close();
    this.#opened?.writer.waitForLocks(false);
    this.#timer = setTimeout(() => this.retry(), kept === null ? retryMs : 0).unref();
  }

  #current(): Opened {
    const state = this.#opened?.writer.look() ?? 'whole';
    if (state === 'cut') throw damagedError(`${this.#options.file} was cut.`);
    if (state === 'gone') {
      this.#close();
      const reason = `${this.#options.file} was deleted or replaced. Recording goes on in the file that is there now.`;
      this.#options.faulted({ fault: 'replaced', reason, over: true });
    }
    this.#opened ??= this.#open();
    return this.#opened;
  }

  #open(): Opened {
    const { file, redactor, idleMs } = this.#options;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const writer = new TraceWriter(file);
    return { writer, store: new TraceStore(file), exchanges: new ExchangeRecorder(writer, redactor, idleMs) };
  }

  #close(): void {
    const opened = this.#opened;
    this.#opened = null;
    opened?.store.dispose();
    opened?.writer.close();
  }

  /** Where the damaged file lies now; null when it could not be moved. */
  #replaceDamaged(): string | null {
    this.#close();
    try {
      return setAside(this.#options.file, Date.now());
    } catch {
      return null;
    }
  }
}
