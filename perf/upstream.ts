// The model host of every measurement, a process of its own: TLS, raw HTTP/1.1, as little work as possible.
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { serveCalls } from './calls.ts';
import { MessageCutter } from './messages.ts';
import { jsonReply, nowNs, streamEnd, streamEvent } from './traffic.ts';

const [keyFile = '', certFile = ''] = process.argv.slice(2);
const jsonHead = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${jsonReply.length}\r\n\r\n`;
const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

let requests = 0;
/** When the last connection closed whose reply was not over. */
let abortedAtNs: number | null = null;
/** Bytes of the newest large reply that the connection took. */
let pulledBytes = 0;

const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(certFile) }, socket => {
  socket.setNoDelay(true);
  let answering = false;
  const cutter = new MessageCutter(({ head }) => {
    requests++;
    const { searchParams } = new URL(head.split(' ', 2)[1] ?? '/', 'https://upstream');
    const number = (name: string) => Number(searchParams.get(name) ?? 0);
    answering = searchParams.get('reply') !== 'json';
    const done = () => {
      answering = false;
    };
    switch (searchParams.get('reply')) {
      case 'json':
        return socket.write(jsonHead + jsonReply);
      case 'burst':
        return burst(socket, number('events'), done);
      case 'paced':
        return pace(socket, number('events'), number('gapMs'), done);
      case 'large':
        return large(socket, number('sizeBytes'), done);
      default:
        return socket.write(streamHead + chunked(streamEvent(0, '')));
    }
  });
  socket.on('data', chunk => cutter.push(chunk));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (answering) abortedAtNs = nowNs();
  });
});

function chunked(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** One write per event, all at once: as a model answers from its cache. */
function burst(socket: TLSSocket, events: number, done: () => void): void {
  socket.write(streamHead);
  for (let number = 0; number < events; number++) socket.write(chunked(streamEvent(number, '')));
  socket.write(`${chunked(streamEnd)}0\r\n\r\n`);
  done();
}

function pace(socket: TLSSocket, events: number, gapMs: number, done: () => void): void {
  socket.write(streamHead);
  let number = 0;
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else if (number < events) socket.write(chunked(streamEvent(number++, String(nowNs()))));
    else {
      clearInterval(timer);
      socket.write(`${chunked(streamEnd)}0\r\n\r\n`);
      done();
    }
  }, gapMs);
}

function large(socket: TLSSocket, sizeBytes: number, done: () => void): void {
  socket.write(`HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${sizeBytes}\r\n\r\n`);
  const block = Buffer.alloc(64 * 1024, 'z');
  let left = sizeBytes;
  pulledBytes = 0;
  const more = () => {
    while (left > 0) {
      const part = block.subarray(0, left);
      left -= part.length;
      pulledBytes += part.length;
      if (!socket.write(part)) return void socket.once('drain', more);
    }
    done();
  };
  more();
}

const listening = new Promise<number>(resolve => {
  server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
});

const handlers = {
  port: () => listening,
  requests: () => requests,
  abortedAtNs: () => {
    const at = abortedAtNs;
    abortedAtNs = null;
    return at;
  },
  pulledBytes: () => pulledBytes,
};
export type Upstream = typeof handlers;
serveCalls(handlers);
