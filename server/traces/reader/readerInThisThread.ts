import type { Reader } from './reader.ts';
import type { ReadingOptions } from './readingOptions.ts';
import { openReadings } from './readings.ts';

/** For where there is no other traffic to hold up. */
export function readInThisThread(options: ReadingOptions): Reader {
  const { readings, close } = openReadings(options);
  return {
    read: (name, params, signal = new AbortController().signal) => {
      const reading = readings[name] as (given: typeof params, signal: AbortSignal) => Promise<never>;
      return reading(params, signal);
    },
    dispose: async () => close(),
  };
}
