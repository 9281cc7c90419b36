import { type Clock, systemClock } from './clock.ts';
import type { Disposable } from './disposable.ts';

const lookEveryMs = 1000;
/** A longer time between two looks is the machine's sleep, or the process's: nothing could happen in it. */
const longestGapMs = 15_000;
/** Sleeps that are remembered, the latest ones. */
const maxSleeps = 100;

let ofMachine: SleepLog | undefined;

/** The sleep of this machine, as this thread saw it since it first asked. */
export function machineSleep(): SleepLog {
  ofMachine ??= new SleepLog();
  return ofMachine;
}

/** Knows when this machine slept, by jumps of the wall clock, so that sleep does not count as idleness. */
export class SleepLog implements Disposable {
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  #sleeps: { readonly fromMs: number; readonly untilMs: number }[] = [];
  #lookedAt: number;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#lookedAt = clock.now();
    this.#timer = setInterval(() => this.#look(), lookEveryMs).unref();
  }

  /** Time awake between two points in time, all in epoch ms. */
  awakeMs(fromMs: number, untilMs: number): number {
    // What woke us may be seen before the timer is.
    this.#look();
    const asleep = this.#sleeps.reduce(
      (sum, sleep) => sum + Math.max(0, Math.min(untilMs, sleep.untilMs) - Math.max(fromMs, sleep.fromMs)),
      0,
    );
    return Math.max(0, untilMs - fromMs - asleep);
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#clock.now();
    if (now - this.#lookedAt > longestGapMs) {
      this.#sleeps = [...this.#sleeps, { fromMs: this.#lookedAt, untilMs: now }].slice(-maxSleeps);
    }
    this.#lookedAt = now;
  }
}
