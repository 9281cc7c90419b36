import type { Readable } from 'node:stream';
import { StreamMessageReader } from 'vscode-jsonrpc/node';

/**
 * Reads JSON-RPC messages. Of a peer that dies in the middle of one, the library would be reminded by a timer that renews
 * itself for ever and keeps the process from its end.
 */
export function messageReader(stream: Readable): StreamMessageReader {
  const reader = new StreamMessageReader(stream);
  reader.partialMessageTimeout = 0;
  return reader;
}
