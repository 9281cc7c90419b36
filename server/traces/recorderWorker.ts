import { parentPort, workerData } from 'node:worker_threads';
import { CoachError } from '../../protocol/errors.ts';
import type { WorkerOptions } from './recorder.ts';
import { RecorderCore } from './recorderCore.ts';
import type { RecorderAnswer, RecorderMessage } from './recorderMessages.ts';

/** Entry of the recorder's thread, built as `dist/recorder.cjs`. */
const port = parentPort;
if (port === null) throw new Error('The recorder runs as a worker thread only.');

const answer = (message: RecorderAnswer) => port.postMessage(message);
try {
  const { file, idleMs } = workerData as WorkerOptions;
  const core = new RecorderCore(file, idleMs, answer);
  port.on('message', (message: RecorderMessage) => {
    core.accept(message);
    if (message.kind === 'stop') port.close();
  });
  answer({ kind: 'ready' });
} catch (error) {
  answer({ kind: 'failed', error: CoachError.from(error).toShape() });
}
