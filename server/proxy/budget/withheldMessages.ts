import { parseJson } from '../../traces/json.ts';
import { type ConversationFacts, conversationFacts } from '../../traces/sessions/conversationId.ts';
import { type HttpHead, headerOf } from '../../traces/wire/httpHead.ts';
import { WebSocketReader, webSocketOptions } from '../../traces/wire/webSocket.ts';
import type { FramePart } from './clientFrames.ts';

const nothing = Buffer.alloc(0);

/**
 * The messages of a WebSocket whose opener names no conversation, so that each must tell its own. One goes on as it comes
 * but for its latest part: the model has it whole only when it is known here whether it may. All of them are read, as
 * one that is compressed may refer to those before it.
 */
export class WithheldMessages {
  readonly #opener: HttpHead;
  #reader: WebSocketReader | null;
  #message: string | null = null;
  #latest: Buffer = nothing;

  constructor(opener: HttpHead, answer: HttpHead) {
    this.#opener = opener;
    const options = webSocketOptions(headerOf(answer, 'sec-websocket-extensions'), 'client');
    this.#reader = new WebSocketReader(options, message => {
      this.#message = message;
    });
  }

  /** Takes the next part; answers what may go on now. Behind a ping or its like the message has parts to come. */
  next({ bytes, control }: FramePart): Buffer {
    this.#read(bytes);
    const before = this.rest();
    if (control) return before.length === 0 ? bytes : Buffer.concat([before, bytes]);
    this.#latest = bytes;
    return before;
  }

  /** What the message that is complete now tells of its conversation. */
  facts(): ConversationFacts {
    const message = this.#message;
    this.#message = null;
    return conversationFacts(this.#opener, message === null ? null : parseJson(message));
  }

  /** The part that waits; it waits no more. */
  rest(): Buffer {
    const latest = this.#latest;
    this.#latest = nothing;
    return latest;
  }

  #read(bytes: Buffer): void {
    try {
      this.#reader?.push(bytes);
    } catch {
      // What can't be read names nothing to the recorder either.
      this.#reader = null;
    }
  }
}
