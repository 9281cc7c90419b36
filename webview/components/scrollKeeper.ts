import * as z from 'zod';
import type { Host } from '../host.ts';

const Left = z.object({ scrollPx: z.number().optional() });

/** Remembers how far a page was scrolled, with what else there is to remember of it, and scrolls the next one there. */
export class ScrollKeeper {
  readonly #host: Host;
  readonly #rest: () => object;
  readonly #left: z.infer<typeof Left>;
  /** False until the page is where the person left it: how it looks before is not worth remembering. */
  #isBack = false;

  constructor(host: Host, rest: () => object) {
    this.#host = host;
    this.#rest = rest;
    this.#left = Left.safeParse(host.remembered).data ?? {};
    // What is not there yet would be forgotten where the page is left at once.
    host.remember({ ...this.#left, ...rest() });
    addEventListener('scroll', () => this.keep(), { passive: true });
  }

  keep(): void {
    if (this.#isBack) this.#host.rememberSoon(() => ({ ...this.#rest(), scrollPx: Math.round(scrollY) }));
  }

  /** To be called when the page has all that it showed; what was asked to be drawn is drawn first. */
  comeBack(): void {
    if (this.#isBack) return;
    requestAnimationFrame(() => {
      const { scrollPx } = this.#left;
      // The person may have gone on meanwhile.
      if (scrollPx !== undefined && scrollY === 0) scrollTo({ top: scrollPx });
      this.#isBack = true;
      this.keep();
    });
  }
}
