import { parentPort, workerData } from 'node:worker_threads';
import { CoachError } from '../../../protocol/errors.ts';
import type { ReaderAnswer, ReaderMessage } from './messages.ts';
import type { ReadingOptions } from './readingOptions.ts';
import { openReadings } from './readings.ts';

/** Entry of the reader's thread, built as `dist/reader.cjs`. */
const port = parentPort;
if (port === null) throw new Error('The reader runs as a worker thread only.');

const options = workerData as ReadingOptions;
const secrets = new Set(options.secrets);
let opened: ReturnType<typeof openReadings> | null = null;
const running = new Map<number, AbortController>();

port.on('message', (message: ReaderMessage) => {
  switch (message.kind) {
    case 'read':
      void read(message).then(answer => port.postMessage(answer));
      break;
    case 'cancel':
      running.get(message.id)?.abort();
      break;
    case 'hide':
      secrets.add(message.secret);
      opened?.hide(message.secret);
      break;
    case 'forget':
      secrets.delete(message.secret);
      opened?.forget(message.secret);
      break;
    case 'end':
      opened?.close();
      port.close();
  }
});

async function read({ id, name, params }: ReaderMessage & { kind: 'read' }): Promise<ReaderAnswer> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    opened ??= openReadings({ ...options, secrets: [...secrets] });
    const reading = opened.readings[name] as (params: unknown, signal: AbortSignal) => Promise<unknown>;
    return { kind: 'result', id, result: await reading(params, controller.signal) };
  } catch (error) {
    return { kind: 'failed', id, error: CoachError.from(error).toShape() };
  } finally {
    running.delete(id);
  }
}
