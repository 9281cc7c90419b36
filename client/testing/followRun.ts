import type { RunEvent, TrialSummary } from '../../protocol/runs.ts';
import type { CoachApi } from '../api.ts';

export interface RunFollower {
  /** Every trial as it is at the beginning, and after each change. */
  trial(trial: TrialSummary): void;
  /** The run's journal, each line once and in order. */
  event(event: RunEvent): void;
}

const pageSize = 1000;

/** Tells what happens in a run until it is over or `signal` ends the wait. What was missed is read from its journal. */
export async function followRun(
  { runs }: Pick<CoachApi, 'runs'>,
  runId: string,
  follower: RunFollower,
  signal: AbortSignal,
): Promise<void> {
  let after = 0;
  const readJournal = async () => {
    for (;;) {
      const { events } = await runs.events({ runId, after, limit: pageSize });
      for (const event of events) follower.event(event);
      after = events.at(-1)?.seq ?? after;
      if (events.length < pageSize) return;
    }
  };
  const news = newsOf();
  const subscriptions = [
    runs.on('progress', event => event.runId === runId && news.tell()),
    runs.on('trialChanged', trial => trial.runId === runId && news.tell()),
    runs.on('changed', run => run.id === runId && news.tell()),
  ];
  const stop = () => news.tell();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const { run, trials } = await runs.show({ runId });
      await readJournal();
      for (const trial of trials) follower.trial(trial);
      if (run.state !== 'running' || signal.aborted) return;
      await news.next();
    }
  } finally {
    signal.removeEventListener('abort', stop);
    for (const subscription of subscriptions) subscription.dispose();
  }
}

/** Whether there is something new since it was last waited for, however often it was told. */
function newsOf(): { tell(): void; next(): Promise<void> } {
  let told = Promise.withResolvers<void>();
  return {
    tell: () => told.resolve(),
    async next() {
      await told.promise;
      told = Promise.withResolvers();
    },
  };
}
