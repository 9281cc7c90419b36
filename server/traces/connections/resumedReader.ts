import { headerOf } from '../wire/httpHead.ts';
import { startsFrame, type WebSocketOptions, webSocketOptions } from '../wire/webSocket.ts';
import type { CaptureListener } from './capturedExchange.ts';
import { ConnectionReader } from './connectionReader.ts';
import { type Upgrade, WebSocketConversation } from './webSocketConversation.ts';

/** Places that may look like a boundary and prove to be none. */
const maxTries = 8;
const maxHeadBytes = 16 * 1024;
const requestLine = /^[A-Z]{3,7} \S+ HTTP\/1\.1\r\n/;

/** What reads on from a boundary: HTTP, or the messages of a WebSocket. */
type Inner = Pick<ConnectionReader, 'push' | 'close'>;

/**
 * Reads a connection of which bytes are missing. What was under way is lost; it starts anew where a chunk from the agent
 * begins a request, or a WebSocket's message, and takes back that start when the next chunk of the other side begins no
 * reply. Agents send no request before they have the last reply, so that both directions are at a boundary then.
 */
export class ResumedReader {
  readonly #listener: CaptureListener;
  readonly #host: string;
  readonly #upgrade: Upgrade | null;
  #http: ConnectionReader | null = null;
  #inner: Inner | null = null;
  #answered = false;
  #tries = 0;

  /**
   * `upgrade`: the connection is a WebSocket since then.
   * @throws when its messages can't be read without those that are missing
   */
  constructor(listener: CaptureListener, host: string, upgrade: Upgrade | null) {
    this.#listener = listener;
    this.#host = host.toLowerCase();
    this.#upgrade = upgrade;
    if (upgrade === null) return;
    if (needsWindow(optionsOf(upgrade, 'client')) || needsWindow(optionsOf(upgrade, 'server'))) {
      throw new Error('after a gap its messages can’t be read: they are compressed with what was said before');
    }
  }

  /** What another gap has to go on with. */
  get upgrade(): Upgrade | null {
    return this.#http?.upgrade ?? this.#upgrade;
  }

  /** @throws when no boundary is found in several tries */
  push(direction: 'up' | 'down', bytes: Buffer, atMs: number): void {
    if (direction === 'up' && this.#inner === null && this.#begins(bytes)) this.#begin();
    if (this.#inner === null) return;
    const isReply = direction === 'up' || this.#answered || this.#beginsReply(bytes);
    if (direction === 'down' && isReply) this.#answered = true;
    try {
      if (!isReply) throw new Error('no reply begins where one should');
      this.#inner.push(direction, bytes, atMs);
    } catch (error) {
      // What was read for certain is lost when it can't be read on.
      if (this.#answered) throw error;
      this.#seek(error);
    }
  }

  close(atMs: number): void {
    if (this.#answered) this.#inner?.close(atMs);
  }

  #begin(): void {
    if (this.#upgrade !== null) this.#inner = new WebSocketConversation(this.#upgrade, this.#listener);
    else {
      this.#http = new ConnectionReader(this.#listener);
      this.#inner = this.#http;
    }
  }

  #seek(error: unknown): void {
    this.#inner = null;
    this.#http = null;
    if (++this.#tries >= maxTries) throw error;
  }

  #begins(bytes: Buffer): boolean {
    if (this.#upgrade !== null) return startsFrame(bytes, optionsOf(this.#upgrade, 'client'), 'client');
    const text = bytes.toString('latin1', 0, maxHeadBytes);
    if (!requestLine.test(text)) return false;
    const host = /\r\nhost:[ \t]*([^\r\n]*?)[ \t]*\r\n/i.exec(`${text.split('\r\n\r\n', 1)[0]}\r\n`)?.[1];
    return host?.toLowerCase().replace(/:\d+$/, '') === this.#host;
  }

  #beginsReply(bytes: Buffer): boolean {
    if (this.#upgrade !== null) return startsFrame(bytes, optionsOf(this.#upgrade, 'server'), 'server');
    return bytes.toString('latin1', 0, 7) === 'HTTP/1.';
  }
}

function optionsOf({ responseHead }: Upgrade, sender: 'client' | 'server'): WebSocketOptions {
  return webSocketOptions(headerOf(responseHead, 'sec-websocket-extensions'), sender);
}

function needsWindow({ compressed, noContextTakeover }: WebSocketOptions): boolean {
  return compressed && !noContextTakeover;
}
