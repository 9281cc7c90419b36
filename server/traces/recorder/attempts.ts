import { hash } from 'node:crypto';
import { totalTokens, type Usage } from '../../../protocol/usage.ts';

/** What is known of the exchange before, per session. */
interface LastTry {
  readonly turnId: string | null;
  readonly sizeBytes: number;
  /** Of a failed one's body, where no turn is named. */
  readonly bodyHash: string | null;
  readonly attempt: number;
  readonly failed: boolean;
  readonly replyId: string | null;
  /** The tokens of that reply are counted. */
  readonly counted: boolean;
}

const keptSessions = 1000;

interface Counted {
  readonly attempt: number;
  readonly repeats: boolean;
}

export interface Try {
  readonly turnId: string | null;
  /** Retries that the agent's client library counts itself, 0 for the first request; null when it tells none. */
  readonly retryCount: number | null;
  /** Of the request's body, as it was sent. */
  readonly sizeBytes: number;
  /** Null when it was too large to be kept. */
  readonly body: Buffer | null;
  readonly failed: boolean;
  readonly replyId: string | null;
  readonly usage: Usage;
}

/**
 * Counts the tries of one request: what follows a failed exchange of the same turn of the same session is another try
 * of it, whatever the agent put into the body meanwhile (it keeps the text that had come). Of an agent that names no turn
 * it is one when its body is the same: a person may have given up and said something else. (The count of an agent's library
 * does not tell: Claude Code tries again itself, and its library counts 0 each time.) Only failed exchanges, and what may
 * be another try of one, are hashed.
 */
export class Attempts {
  #last = new Map<string, LastTry>();
  #counted = new WeakMap<object, Counted>();

  /**
   * `of`: the exchange, which counts once however often it has to be written.
   * @returns `attempt` from 1; `repeats`: the same reply was answered again, so that its tokens are counted already.
   */
  next(of: object, sessionId: string, exchange: Try): Counted {
    const known = this.#counted.get(of);
    if (known !== undefined) return known;
    const counted = this.#count(sessionId, exchange);
    this.#counted.set(of, counted);
    return counted;
  }

  #count(sessionId: string, { turnId, retryCount, sizeBytes, body, failed, replyId, usage }: Try): Counted {
    const before = this.#last.get(sessionId);
    const mayRepeat =
      before?.failed === true && before.turnId === turnId && (turnId !== null || before.sizeBytes === sizeBytes);
    const isHashed = turnId === null && body !== null && (failed || mayRepeat);
    const bodyHash = isHashed ? hash('sha256', body) : null;
    const again = mayRepeat && before.bodyHash === bodyHash;
    const attempt = again ? before.attempt + 1 : (retryCount ?? 0) + 1;
    const repeats = again && before.counted && replyId !== null && before.replyId === replyId;
    const counted = repeats || totalTokens(usage) !== null;
    this.#last.delete(sessionId);
    this.#last.set(sessionId, { turnId, sizeBytes, bodyHash, attempt, failed, replyId, counted });
    const oldest = this.#last.keys().next();
    if (this.#last.size > keptSessions && !oldest.done) this.#last.delete(oldest.value);
    return { attempt, repeats };
  }
}
