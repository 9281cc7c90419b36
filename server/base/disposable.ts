import type { Disposable } from '../../protocol/channel.ts';

export type { Disposable };

export interface AsyncOwner {
  dispose(): Promise<void>;
}

/**
 * Owns things with a lifetime and ends them in reverse order. What is added after the end is disposed at once.
 * One failing member does not keep the others alive; the first failure is thrown at the end.
 */
export class DisposableStack implements AsyncOwner {
  #members: (() => void | Promise<void>)[] = [];
  #disposed: Promise<void> | null = null;

  get disposed(): boolean {
    return this.#disposed !== null;
  }

  add<T extends { dispose(): void | Promise<void> }>(member: T): T {
    this.defer(() => member.dispose());
    return member;
  }

  defer(end: () => void | Promise<void>): void {
    if (this.#disposed) void Promise.resolve(end()).catch(() => undefined);
    else this.#members.push(end);
  }

  dispose(): Promise<void> {
    this.#disposed ??= this.#end();
    return this.#disposed;
  }

  async #end(): Promise<void> {
    const failures: unknown[] = [];
    for (const end of this.#members.toReversed()) {
      try {
        await end();
      } catch (error) {
        failures.push(error);
      }
    }
    this.#members = [];
    if (failures.length > 0) throw failures[0];
  }
}
