import { parentPort, workerData } from 'node:worker_threads';
import { CoachError } from '../../protocol/errors.ts';
import { giveWay } from '../base/priority.ts';
import { type ChunkBatch, chunksOf } from './chunkBatch.ts';
import { RecorderCore } from './recorderCore.ts';
import type { RecorderAnswer, RecorderMessage, WorkerOptions } from './recorderMessages.ts';

/** Entry of the recorder's thread, built as `dist/recorder.cjs`. */
const port = parentPort;
if (port === null) throw new Error('The recorder runs as a worker thread only.');
// Agents wait for what the other thread forwards; nobody waits for what is stored.
giveWay();

let answers: RecorderAnswer[] = [];
/** One message for all answers to one batch: each one wakes the forwarding thread. */
const send = () => {
  if (answers.length > 0) port.postMessage(newest(answers));
  answers = [];
};

try {
  const { file, idleMs } = workerData as WorkerOptions;
  const core = new RecorderCore(file, idleMs, answer => {
    // Outside of a message, as when upkeep has ended, nobody else would send it.
    if (answers.push(answer) === 1) setImmediate(send);
  });
  port.on('message', (message: RecorderMessage | ChunkBatch) => {
    if (message.kind !== 'batch') core.accept(message);
    else {
      core.acceptAll(chunksOf(message));
      answers.push({ kind: 'done', sizeBytes: message.bytes.length });
      // Given back now: the collector would let dozens of them pile up, as they hardly weigh on the heap.
      message.bytes.buffer.transfer(0);
    }
    send();
    if (message.kind === 'stop') port.close();
  });
  answers.push({ kind: 'ready' });
} catch (error) {
  answers.push({ kind: 'failed', error: CoachError.from(error).toShape() });
}
send();

/** Without states that a later answer of the same list replaces. */
function newest(list: readonly RecorderAnswer[]): RecorderAnswer[] {
  const last = new Map<string, RecorderAnswer>();
  for (const answer of list) last.set(stateOf(answer) ?? '', answer);
  return list.filter(answer => {
    const state = stateOf(answer);
    return state === null || last.get(state) === answer;
  });
}

/** What an answer tells the state of; null when it tells of something that happened. */
function stateOf(answer: RecorderAnswer): string | null {
  if (answer.kind !== 'event') return null;
  const { event } = answer;
  if (event.kind === 'session') return `session ${event.session.id}`;
  return event.kind === 'streaming' ? `streaming ${event.connection}` : null;
}
