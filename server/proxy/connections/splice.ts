import type { Duplex } from 'node:stream';
import type { Tap } from '../../traces/recorder/recorder.ts';
import { endWith } from './lastWords.ts';
import { PausedClient } from './pausedClient.ts';
import type { RequestRewriter } from './requestRewriter.ts';

/**
 * Forwards both directions between an agent and a model host until either is gone. A chunk is written on first and
 * copied to the tap after. Who reads slowly slows the other down; an agent that closes ends the upstream at once, so
 * that nothing is billed which nobody reads. `wire`: the connection under the client's TLS.
 */
export function splice(
  client: Duplex,
  upstream: Duplex,
  tap: Tap,
  rewriter: RequestRewriter | null,
  wire: Duplex = client,
): void {
  const paused = new PausedClient(client, wire, upstream);
  const forward = (chunk: Buffer) => {
    // An upstream may answer and close before it has read the whole request.
    if (upstream.writable && !upstream.write(chunk)) paused.pause();
    tap.bytes('up', chunk);
  };
  const read = (reading: () => void) => {
    try {
      reading();
    } catch {
      // Two readings of one request are possible: neither side gets to see it.
      client.destroy();
    }
  };
  client.on('data', (chunk: Buffer) => {
    if (rewriter === null) forward(chunk);
    else read(() => rewriter.push(chunk, forward));
  });
  upstream.on('data', (chunk: Buffer) => {
    // What has waited for this answer is read now.
    if (rewriter !== null) read(() => rewriter.answered(chunk, forward));
    if (!client.write(chunk)) upstream.pause();
    tap.bytes('down', chunk);
  });
  client.on('drain', () => upstream.resume());

  const close = () => {
    if (client.closed && upstream.closed) tap.close();
  };
  // Half-open is no use of HTTP clients: an end from the agent is a stop, also while the model is silent.
  client.on('end', () => upstream.destroy());
  client.on('error', () => upstream.destroy());
  client.on('close', () => {
    upstream.destroy();
    close();
  });
  upstream.on('error', () => client.destroy());
  upstream.on('close', () => {
    if (upstream.readableEnded) endWith(client);
    else client.destroy();
    close();
  });
}

/** Joins two streams without looking at what passes. Half-closed connections stay so. */
export function join(a: Duplex, b: Duplex): void {
  a.pipe(b);
  b.pipe(a);
  for (const [side, other] of [
    [a, b],
    [b, a],
  ] as const) {
    side.on('error', () => other.destroy());
    side.on('close', () => {
      if (!side.readableEnded) other.destroy();
    });
  }
}
