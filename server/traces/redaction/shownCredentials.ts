import { credentialsOf } from '../wire/credentials.ts';
import type { HttpHead } from '../wire/httpHead.ts';
import type { Redactor } from './redaction.ts';

/** What is made anew for each request is no key that anybody says, and each would have all texts searched again. */
export const maxNewPerMinute = 30;

/** Hides the keys that requests show. */
export class ShownCredentials {
  readonly #redactor: Redactor;
  #minute = 0;
  #count = 0;

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** Answers those that were not hidden before. */
  hide(head: HttpHead, atMs: number): string[] {
    const fresh = credentialsOf(head).filter(value => !this.#redactor.knows(value));
    if (fresh.length === 0) return fresh;
    const minute = Math.floor(atMs / 60_000);
    if (minute !== this.#minute) this.#count = 0;
    this.#minute = minute;
    const hidden = fresh.slice(0, Math.max(0, maxNewPerMinute - this.#count));
    this.#count += hidden.length;
    for (const value of hidden) this.#redactor.hide(value);
    return hidden;
  }
}
