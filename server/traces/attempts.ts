import { totalTokens, type Usage } from '../../protocol/usage.ts';

/** What is known of the exchange before, per session. */
interface LastTry {
  readonly turnId: string | null;
  readonly sizeBytes: number;
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
  /** Of the request's body. */
  readonly sizeBytes: number;
  readonly failed: boolean;
  readonly replyId: string | null;
  readonly usage: Usage;
}

/**
 * Counts the tries of one request: what follows a failed exchange of the same turn of the same session is another try
 * of it, whatever the agent put into the body meanwhile (it keeps the text that had come). Of an agent that names no turn
 * it is one when its body is as long: a person may have given up and said something else. (The count of an agent's library
 * does not tell: Claude Code tries again itself, and its library counts 0 each time.)
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

  #count(sessionId: string, { turnId, retryCount, sizeBytes, failed, replyId, usage }: Try): Counted {
    const before = this.#last.get(sessionId);
    const isSame = before?.turnId === turnId && (turnId !== null || before.sizeBytes === sizeBytes);
    const again = before?.failed === true && isSame;
    const attempt = again ? before.attempt + 1 : (retryCount ?? 0) + 1;
    const repeats = again && before.counted && replyId !== null && before.replyId === replyId;
    const counted = repeats || totalTokens(usage) !== null;
    this.#last.delete(sessionId);
    this.#last.set(sessionId, { turnId, sizeBytes, attempt, failed, replyId, counted });
    const oldest = this.#last.keys().next();
    if (this.#last.size > keptSessions && !oldest.done) this.#last.delete(oldest.value);
    return { attempt, repeats };
  }
}
