import { chunksOf } from './chunkBatch.ts';
import { RecorderCore } from './recorderCore.ts';
import type { RecorderAnswer, WorkerOptions } from './recorderMessages.ts';
import type { RecorderPort } from './recorderThread.ts';

/** Messages are worked off between events, so that the traffic that caused them goes first. */
export function recordInThisThread(options: WorkerOptions, hear: (answer: RecorderAnswer) => void): RecorderPort {
  const core = new RecorderCore(options.file, options.idleMs, hear);
  let queue: Parameters<RecorderPort['post']>[0][] = [];
  const drain = () => {
    const messages = queue;
    queue = [];
    for (const message of messages) {
      if (message.kind !== 'batch') core.accept(message);
      else {
        core.acceptAll(chunksOf(message));
        hear({ kind: 'done', sizeBytes: message.bytes.length });
      }
    }
  };
  return {
    start: () => undefined,
    post(message) {
      if (queue.length === 0) setImmediate(drain);
      queue.push(message);
    },
    rest: () => undefined,
    giveUp: () => undefined,
    async stop() {
      drain();
      core.accept({ kind: 'stop' });
    },
  };
}
