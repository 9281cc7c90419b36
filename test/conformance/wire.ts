import type { Socket } from 'node:net';

const defaultMs = 10_000;
/** Longest text that `until` finds when it is cut between two pieces. */
const overlap = 1000;

/** One end of a connection, byte for byte (latin1), with waits that name what did not come. */
export class Wire {
  readonly socket: Socket;
  ended = false;
  closed = false;
  error: Error | null = null;
  /** What this connection leads to, as a Host header names it. */
  host = '';
  #parts: string[] = [];
  /** The newest piece, with the end of what was before it. */
  #newest = '';
  readonly #waiting = new Set<() => void>();

  /** `reading` false: nothing is read until `read()`. */
  constructor(socket: Socket, reading = true) {
    this.socket = socket;
    socket.on('error', error => {
      this.error = error;
    });
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
    if (reading) this.read();
  }

  read(): void {
    this.socket.on('data', (chunk: Buffer) => {
      const piece = chunk.toString('latin1');
      this.#parts.push(piece);
      this.#newest = this.#newest.slice(-overlap) + piece;
      this.#wake();
    });
    this.socket.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    this.socket.resume();
  }

  /** All that came. Put together only when asked for, because some of it is megabytes in small pieces. */
  get received(): string {
    if (this.#parts.length > 1) this.#parts = [this.#parts.join('')];
    return this.#parts[0] ?? '';
  }

  forget(): void {
    this.#parts = [];
    this.#newest = '';
  }

  write(text: string | Buffer): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** Writes a request in which `{host}` stands for the host that this connection leads to. Answers what was written. */
  request(text: string): string {
    const written = text.replaceAll('{host}', this.host);
    this.write(written);
    return written;
  }

  end(text = ''): void {
    this.socket.end(Buffer.from(text, 'latin1'));
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Waits for these bytes, and answers all that came so far. */
  async until(what: string | RegExp, ms = defaultMs): Promise<string> {
    const has = () => (typeof what === 'string' ? this.received.includes(what) : what.test(this.received));
    const came = () => (typeof what === 'string' ? this.#newest.includes(what) : what.test(this.received));
    if (!has()) await this.#wait(() => came() || this.closed, String(what), ms);
    if (!has()) throw new Error(`Closed before ${JSON.stringify(what)} came, after ${shown(this.received)}`);
    return this.received;
  }

  /** Waits until the other side has ended or is gone, and answers all that came. */
  async whole(ms = defaultMs): Promise<string> {
    await this.#wait(() => this.ended || this.closed, 'the end', ms);
    return this.received;
  }

  async gone(ms = defaultMs): Promise<void> {
    await this.#wait(() => this.closed, 'the connection to close', ms);
  }

  #wait(done: () => boolean, what: string, ms: number): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        this.#waiting.delete(check);
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`Waited ${ms} ms for ${JSON.stringify(what)}, got ${shown(this.received)}`));
      }, ms);
      const check = () => {
        if (!done()) return;
        stop();
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}… (${text.length} bytes)` : text);
}
