import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { CoachError } from '../../../protocol/errors.ts';
import { giveWay } from '../../base/priority.ts';
import { type ChunkBatch, chunksOf } from './chunkBatch.ts';
import { RecorderCore } from './recorderCore.ts';
import type { RecorderAnswer, RecorderMessage, WorkerOptions } from './recorderMessages.ts';

/** Entry of the recorder's thread, built as `dist/recorder.cjs`. */
const port = parentPort;
if (port === null) throw new Error('The recorder runs as a worker thread only.');
// Agents wait for what the other thread forwards; nobody waits for what is stored.
giveWay();

/** What has piled up is stored in one commit up to here: a commit costs as much as a few exchanges. */
const togetherBytes = 512 * 1024;

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
  const store = (batches: readonly ChunkBatch[]) => {
    core.acceptAll(batches.flatMap(batch => [...chunksOf(batch)]));
    for (const { bytes } of batches) {
      answers.push({ kind: 'done', sizeBytes: bytes.length });
      // Given back now: the collector would let dozens of them pile up, as they hardly weigh on the heap.
      bytes.buffer.transfer(0);
    }
  };
  port.on('message', (message: RecorderMessage | ChunkBatch) => {
    const { batches, other } = piledUp(port, message);
    if (batches.length > 0) store(batches);
    if (other !== null) core.accept(other);
    send();
    if (core.hasStopped) port.close();
  });
  answers.push({ kind: 'ready' });
} catch (error) {
  answers.push({ kind: 'failed', error: CoachError.from(error).toShape() });
}
send();

/** A message with the batches that wait behind it, up to the first other message, which comes after them. */
function piledUp(
  from: MessagePort,
  first: RecorderMessage | ChunkBatch,
): { batches: ChunkBatch[]; other: RecorderMessage | null } {
  const batches: ChunkBatch[] = [];
  let sizeBytes = 0;
  let message: RecorderMessage | ChunkBatch | undefined = first;
  while (message?.kind === 'batch') {
    batches.push(message);
    sizeBytes += message.bytes.length;
    // Undefined when nothing waits.
    message = sizeBytes < togetherBytes ? receiveMessageOnPort(from)?.message : undefined;
  }
  return { batches, other: message ?? null };
}

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
