import type { AsyncOwner } from '../../base/disposable.ts';
import type { ReadingName } from './messages.ts';
import type { Readings } from './readings.ts';

/** Reads sessions, see `ReaderThread`. */
export interface Reader extends AsyncOwner {
  /**
   * Readings are asked for by name.
   * @throws CoachError what the reading throws; `internal` when its thread ended; `cancelled`
   */
  read<K extends ReadingName>(
    name: K,
    params: Parameters<Readings[K]>[0],
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<Readings[K]>>>;
}
