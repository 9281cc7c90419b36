import type { DayLosses } from '../../../protocol/proxy.ts';
import { toIso } from '../../base/clock.ts';
import type { TraceStore } from '../../traces/store.ts';
import { dayOf } from './budget.ts';

/** What could not be recorded on this UTC day, by this server and by those before it. */
export class LossesOfDay {
  #day = '';
  #losses: DayLosses | null = null;

  /** Reads what earlier servers have noted. */
  constructor(store: Pick<TraceStore, 'lossesOnDay'>) {
    this.#day = dayOf(Date.now());
    const losses = store.lossesOnDay(this.#day);
    const last = losses.at(-1);
    if (last === undefined) return;
    const count = losses.reduce((sum, loss) => sum + loss.count, 0);
    this.#losses = { count, lastHost: last.host, lastReason: last.reason, lastAt: toIso(last.lastMs) };
  }

  add(host: string, reason: string, count: number): void {
    const before = this.today()?.count ?? 0;
    this.#losses = { count: before + count, lastHost: host, lastReason: reason, lastAt: toIso(Date.now()) };
  }

  /** Null when nothing was lost. */
  today(): DayLosses | null {
    const day = dayOf(Date.now());
    if (day !== this.#day) this.#losses = null;
    this.#day = day;
    return this.#losses;
  }
}
