import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpHead } from '../../traces/wire/httpHead.ts';
import { HttpSyntaxError, parseHead } from '../../traces/wire/httpHead.ts';
import { headEnd } from '../../traces/wire/httpParser.ts';
import { endWith } from './lastWords.ts';

const maxHeadBytes = 256 * 1024;
const headTimeoutMs = 60_000;

export interface FirstRequest {
  readonly head: HttpHead;
  /** The head's own bytes and what came after it. */
  readonly bytes: Buffer;
  readonly rest: Buffer;
}

/** Reads a connection's first head; the stream is paused then. Null when it closed before. @throws HttpSyntaxError */
export function readFirstRequest(socket: Duplex): Promise<FirstRequest | null> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(), headTimeoutMs);
    const stop = () => {
      clearTimeout(timer);
      socket.pause();
      socket.off('data', read);
      socket.off('close', close);
      socket.off('end', close);
    };
    const close = () => {
      stop();
      resolve(null);
    };
    const read = (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const end = headEnd(bytes, 0);
      if (end === null && bytes.length <= maxHeadBytes) return;
      stop();
      try {
        if (end === null) throw new HttpSyntaxError(`Head of more than ${maxHeadBytes} bytes.`);
        const head = parseHead(bytes.toString('latin1', 0, end.text), 'request');
        resolve({ head, bytes, rest: bytes.subarray(end.next) });
      } catch (error) {
        reject(error);
      }
    };
    socket.on('data', read);
    socket.once('close', close);
    socket.once('end', close);
  });
}

/** Whether its sender is gone, or has ended: it may be so while nobody reads. */
export function hasLeft(socket: Duplex): boolean {
  return socket.destroyed || socket.readableEnded;
}

/** Answers with JSON and closes. Errors have the OpenAI shape, which agents show to their users. */
export function answerJson(socket: Duplex, status: number, body: object, headers = ''): void {
  const text = JSON.stringify(body);
  endWith(
    socket,
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\n${headers}connection: close\r\n\r\n${text}`,
  );
}

export function answerError(socket: Duplex, status: number, message: string, headers = ''): void {
  answerJson(socket, status, { error: { message, type: 'codex_coach_proxy', param: null, code: null } }, headers);
}
