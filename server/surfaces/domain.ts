import type { Api, Handlers } from '../../protocol/api.ts';

/** An api with its handlers: what every door serves. */
export interface Domain {
  readonly api: Api;
  readonly handlers: Handlers<Api>;
}

/** Pairs an api with its handlers; a missing or mistyped handler does not compile. */
export function domain<A extends Api>(api: A, handlers: Handlers<A>): Domain {
  return { api, handlers: handlers as unknown as Handlers<Api> };
}
