import type { Readable } from 'node:stream';
import { type DataCallback, type Message, type MessageReader, StreamMessageReader } from 'vscode-jsonrpc/node';

/**
 * Reads JSON-RPC messages. Of a peer that dies in the middle of one, the library would be reminded by a timer that renews
 * itself for ever and keeps the process from its end.
 */
export function messageReader(stream: Readable): StreamMessageReader {
  const reader = new StreamMessageReader(stream);
  reader.partialMessageTimeout = 0;
  return reader;
}

/** Waits for the first message, and reads on from it, this message included. Rejects when what comes is none. */
export function firstMessage(stream: Readable): Promise<{ first: Message; reader: MessageReader }> {
  const reader = messageReader(stream);
  const early: Message[] = [];
  let deliver: DataCallback = message => early.push(message);
  return new Promise((resolve, reject) => {
    reader.onError(reject);
    const listening = reader.listen(message => {
      deliver(message);
      resolve({ first: message, reader: goingOn });
    });
    const goingOn: MessageReader = {
      ...{ onError: reader.onError, onClose: reader.onClose, onPartialMessage: reader.onPartialMessage },
      listen(callback) {
        deliver = callback;
        for (const message of early.splice(0)) callback(message);
        return listening;
      },
      dispose: () => reader.dispose(),
    };
  });
}
