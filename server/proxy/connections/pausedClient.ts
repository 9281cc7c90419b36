import type { Duplex } from 'node:stream';

const lookMs = 1000;
/** What may wait for an upstream that takes nothing. */
const maxWaitingBytes = 256 * 1024;
const nothing = Buffer.alloc(0);

/**
 * Lets an agent wait while its upstream takes no more. Of an agent that is not read nobody hears that it is gone: once
 * the upstream has taken nothing for a second, a little more is read now and then, which finds an end, and a write of no
 * bytes to its connection finds a reset.
 */
export class PausedClient {
  readonly #client: Duplex;
  readonly #wire: Duplex;
  readonly #upstream: Duplex;
  #timer: NodeJS.Timeout | null = null;
  #drained = false;
  #asking = false;

  /** `wire`: the connection under the client's TLS, or the client itself. */
  constructor(client: Duplex, wire: Duplex, upstream: Duplex) {
    this.#client = client;
    this.#wire = wire;
    this.#upstream = upstream;
    upstream.on('drain', () => {
      this.#drained = true;
      client.resume();
    });
    client.once('close', () => this.#stop());
  }

  /** Until the upstream takes more. */
  pause(): void {
    this.#client.pause();
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref();
  }

  #look(): void {
    if (!this.#client.isPaused()) this.#stop();
    else if (!this.#drained) this.#ask();
    this.#drained = false;
  }

  #ask(): void {
    if (this.#upstream.writableLength < maxWaitingBytes) this.#client.resume();
    if (this.#asking || !this.#wire.writable) return;
    this.#asking = true;
    this.#wire.write(nothing, () => {
      this.#asking = false;
    });
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
