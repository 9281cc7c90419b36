import { parseJson } from '../../traces/json.ts';
import { type ConversationFacts, conversationFacts } from '../../traces/sessions/conversationId.ts';
import { decodeContent } from '../../traces/wire/contentCoding.ts';
import { type HttpHead, headerOf } from '../../traces/wire/httpHead.ts';

/** What a longer body says of its conversation is not read. */
const maxReadBytes = 16 * 1024 * 1024;

/**
 * A request whose body must tell its conversation. It goes on as it comes but for its latest piece: the model has it
 * whole only when it is known here whether it may.
 */
export class WithheldRequest {
  readonly head: HttpHead;
  #latest: Buffer;
  #content: Buffer[] = [];
  #sizeBytes = 0;

  constructor(head: HttpHead, rawHead: Buffer) {
    this.head = head;
    this.#latest = rawHead;
  }

  /** The piece that waits, as it stands on the wire. */
  get latest(): Buffer {
    return this.#latest;
  }

  /** Takes the next piece as it stands on the wire; the one before it may go on. */
  next(piece: Buffer): Buffer {
    const before = this.#latest;
    this.#latest = piece;
    return before;
  }

  /** Bytes of the body without its framing; they are copied. */
  read(content: Buffer): void {
    this.#sizeBytes += content.length;
    if (this.#sizeBytes > maxReadBytes) this.#content = [];
    else this.#content.push(Buffer.from(content));
  }

  /** What the whole request tells of its conversation. */
  facts(): ConversationFacts {
    return conversationFacts(this.head, this.#request());
  }

  #request(): unknown {
    try {
      const body = decodeContent(Buffer.concat(this.#content), headerOf(this.head, 'content-encoding'));
      return parseJson(body.toString('utf8'));
    } catch {
      // What can't be decoded names nothing to the recorder either.
      return null;
    }
  }
}
