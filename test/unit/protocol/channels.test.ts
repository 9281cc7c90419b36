import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { createMessageConnection, ResponseError, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { type JsonRpcConnection, lspChannel } from '../../../protocol/channels/lsp.ts';
import { channelPair } from '../../../protocol/channels/pair.ts';
import { type MessagePort, portChannel } from '../../../protocol/channels/port.ts';
import { channelContract } from './channelContract.ts';

channelContract('in-memory', async () => {
  const [near, far] = channelPair();
  return { near, far, close: () => undefined };
});

channelContract('LSP', async () => {
  const [left, right] = duplexPair();
  const ends = [left, right].map(stream => {
    const connection = createMessageConnection(new StreamMessageReader(stream), new StreamMessageWriter(stream));
    connection.listen();
    return {
      connection,
      channel: lspChannel(connection, (code, message, data) => new ResponseError(code, message, data)),
    };
  });
  const [near, far] = ends as [(typeof ends)[0], (typeof ends)[0]];
  return {
    near: near.channel,
    far: far.channel,
    close: () => {
      near.connection.dispose();
      far.connection.dispose();
    },
  };
});

it('takes a cancellation after its connection was closed: nobody is left to tell', async () => {
  const faults: Error[] = [];
  const hear = (error: Error) => void faults.push(error);
  process.on('uncaughtException', hear);
  const closed: JsonRpcConnection = {
    sendRequest: (_method, _params, token) => {
      token?.onCancellationRequested(() => {
        throw new Error('Connection is closed.');
      });
      return new Promise(() => undefined);
    },
    sendNotification: () => undefined,
    onRequest: () => ({ dispose: () => undefined }),
    onNotification: () => ({ dispose: () => undefined }),
  };
  const interrupt = new AbortController();
  void lspChannel(closed, (_code, message) => new Error(message)).request('slow', {}, interrupt.signal);
  interrupt.abort();
  await new Promise(resolve => setImmediate(resolve));
  process.off('uncaughtException', hear);
  expect(faults).toEqual([]);
});

channelContract('port', async () => {
  const [left, right] = portPair();
  const near = portChannel(left);
  const far = portChannel(right);
  return {
    near,
    far,
    close: () => {
      near.dispose();
      far.dispose();
    },
  };
});

function duplexPair(): [Duplex, Duplex] {
  const make = (): Duplex =>
    new Duplex({
      read() {},
      write(this: Duplex & { other?: Duplex }, chunk, _encoding, callback) {
        this.other?.push(chunk);
        callback();
      },
    });
  const left = make() as Duplex & { other?: Duplex };
  const right = make() as Duplex & { other?: Duplex };
  left.other = right;
  right.other = left;
  return [left, right];
}

function portPair(): [MessagePort, MessagePort] {
  const listeners: [Set<(message: unknown) => void>, Set<(message: unknown) => void>] = [new Set(), new Set()];
  const end = (own: 0 | 1): MessagePort => ({
    post: message =>
      queueMicrotask(() => listeners[own === 0 ? 1 : 0].forEach(listener => void listener(structuredClone(message)))),
    onMessage: listener => {
      listeners[own].add(listener);
      return { dispose: () => void listeners[own].delete(listener) };
    },
  });
  return [end(0), end(1)];
}
