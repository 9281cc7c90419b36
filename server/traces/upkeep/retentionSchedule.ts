import type { Disposable } from '../../base/disposable.ts';
import type { Log } from '../../base/log.ts';
import type { Recorder } from '../recorder/recorder.ts';
import type { RetentionLimits } from './retention.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** Whoever started the server is waiting for something else first. */
const startMs = 10_000;

/** Keeps the recorded sessions within the limits: soon after the start and once a day. */
export function scheduleRetention(
  recorder: Pick<Recorder, 'upkeep'>,
  limits: () => RetentionLimits,
  log: Log,
): Disposable {
  const enforce = async () => {
    // Asking would start the recorder's thread.
    if (Object.values(limits()).every(limit => limit === 0)) return;
    const report = await recorder.upkeep({ kind: 'retain', limits: limits() });
    if (report === null) log.warn('Old sessions could not be deleted; the next attempt is tomorrow.');
    else if (report.sessions > 0) log.info('Deleted sessions that are beyond the limits.', { ...report });
  };
  const first = setTimeout(enforce, startMs).unref();
  const daily = setInterval(enforce, dayMs).unref();
  return {
    dispose() {
      clearTimeout(first);
      clearInterval(daily);
    },
  };
}
