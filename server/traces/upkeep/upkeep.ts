import { statSync } from 'node:fs';
import type { Sqlite } from '../../base/sqlite.ts';
import type { Opened, TraceStorage } from '../recorder/traceStorage.ts';
import { Rewording } from '../search/rewording.ts';
import { SearchIndex } from '../search/searchIndex.ts';
import { ItemMerger } from '../storage/items.ts';
import { reprice } from './repricing.ts';
import { Retention } from './retention.ts';
import type { UpkeepReport, UpkeepTask } from './upkeepTask.ts';

/** What came of it, or why nothing did. */
type UpkeepDone = (report: UpkeepReport | null, fault: string | null) => void;

interface Job {
  readonly task: UpkeepTask;
  readonly done: UpkeepDone;
  steps: { readonly on: Sqlite; readonly run: Generator<void, UpkeepReport> } | null;
}

/** What is kept up with the exchanges of a database. */
interface Indexes {
  readonly on: Sqlite;
  readonly index: SearchIndex;
  readonly rewording: Rewording;
  readonly merger: ItemMerger;
}

/** How long work goes on at a time, and how long the recording comes first then: less where somebody waits. */
const workMs = 10;
const pauseMs = { asked: 2, own: 40 } as const;
/** Silence after which what was recorded is made searchable, and after which the journal is emptied. */
const quietMs = 300;
const idleMs = 2000;
/** Longest that what was recorded may wait for such a silence. */
const maxBehindMs = 5000;
/** A journal below this size is left to SQLite. */
const smallJournalBytes = 4 * 1024 * 1024;

/** Keeps the database in order in small steps between recordings: search, retention, prices, journal. */
export class Upkeep {
  readonly #storage: TraceStorage;
  readonly #file: string;
  readonly #jobs: Job[] = [];
  #index: Indexes | null = null;
  #timer: NodeJS.Timeout | undefined;
  #checkpoint: NodeJS.Timeout | undefined;
  #behindSinceMs: number | null = null;
  #isIdle = false;

  constructor(storage: TraceStorage, file: string) {
    this.#storage = storage;
    this.#file = file;
    this.#wake(quietMs);
  }

  /** Everything is done that follows from what was written. */
  get isIdle(): boolean {
    return this.#isIdle;
  }

  /** Something was written. What follows from it waits for a quiet moment, but not for ever. */
  touch(): void {
    const nowMs = performance.now();
    this.#behindSinceMs ??= nowMs;
    if (this.#jobs.length === 0 && nowMs - this.#behindSinceMs < maxBehindMs) this.#wake(quietMs);
  }

  ask(task: UpkeepTask, done: UpkeepDone): void {
    this.#jobs.push({ task, done, steps: null });
    this.#wake(0);
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#checkpoint);
  }

  #wake(afterMs: number): void {
    this.#isIdle = false;
    clearTimeout(this.#timer);
    clearTimeout(this.#checkpoint);
    this.#timer = setTimeout(() => this.#work(), afterMs).unref();
  }

  #work(): void {
    const untilMs = performance.now() + workMs;
    let isMore = true;
    while (isMore && performance.now() < untilMs) isMore = this.#jobs.length > 0 ? this.#step() : this.#advanceIndex();
    if (isMore) {
      this.#wake(this.#jobs.length > 0 ? pauseMs.asked : pauseMs.own);
      return;
    }
    this.#behindSinceMs = null;
    this.#checkpoint = setTimeout(() => this.#emptyJournal(), idleMs).unref();
  }

  /** One step of the first job. Returns whether there is more to do. */
  #step(): boolean {
    const job = this.#jobs[0];
    if (job === undefined) return false;
    let fault = 'The database could not be written to just then.';
    let result: IteratorResult<void, UpkeepReport> | undefined;
    try {
      result = this.#storage.whenSound(opened => this.#stepsOf(job, opened).next());
    } catch (error) {
      fault = error instanceof Error ? error.message : String(error);
    }
    if (result !== undefined && !result.done) return true;
    this.#jobs.shift();
    if (result?.done) job.done(result.value, null);
    else job.done(null, fault);
    return true;
  }

  /** Begun anew where the database was replaced meanwhile. */
  #stepsOf(job: Job, { writer, exchanges }: Opened): Generator<void, UpkeepReport> {
    const on = writer.database;
    if (job.steps?.on !== on) {
      const retention = new Retention(on, this.#indexOf(on).index, ids => exchanges.forget(ids));
      job.steps = { on, run: stepsOf(job.task, on, retention) };
    }
    return job.steps.run;
  }

  #advanceIndex(): boolean {
    const step = ({ writer }: Opened) => {
      const { index, rewording, merger } = this.#indexOf(writer.database);
      return index.advance(workMs) || rewording.advance(workMs) || merger.advance();
    };
    return this.#storage.whenSound(step) ?? false;
  }

  #indexOf(on: Sqlite): Indexes {
    if (this.#index?.on !== on) {
      this.#index = { on, index: new SearchIndex(on), rewording: new Rewording(on), merger: new ItemMerger(on) };
    }
    return this.#index;
  }

  /** A reader that stayed for long leaves a large journal behind: it is cut when there is nothing else to do. */
  #emptyJournal(): void {
    const size = statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (size >= smallJournalBytes) this.#storage.whenSound(({ writer }) => writer.emptyJournal());
    const left = statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    // A reader is still there.
    if (left >= smallJournalBytes) this.#checkpoint = setTimeout(() => this.#emptyJournal(), idleMs).unref();
    else this.#isIdle = true;
  }
}

function stepsOf(task: UpkeepTask, database: Sqlite, retention: Retention): Generator<void, UpkeepReport> {
  switch (task.kind) {
    case 'prune':
      return retention.prune(task.selection);
    case 'retain':
      return retention.enforce(task.limits, Date.now());
    case 'reprice':
      return reprice(database);
  }
}
