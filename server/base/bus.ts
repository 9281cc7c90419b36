import type { Api, EventPayload } from '../../protocol/api.ts';
import { methodOf } from '../../protocol/api.ts';
import type { Disposable } from './disposable.ts';
import { Emitter } from './emitter.ts';

/** Events of every domain, on their way to every connection. */
export class EventBus {
  readonly #emitter = new Emitter<{ method: string; payload: unknown }>();

  publish<A extends Api, K extends string & keyof A['members']>(target: A, name: K, payload: EventPayload<A, K>): void {
    this.#emitter.fire({ method: methodOf(target.name, name), payload });
  }

  subscribe(listener: (event: { method: string; payload: unknown }) => void): Disposable {
    return this.#emitter.on(listener);
  }
}
