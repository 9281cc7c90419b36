import { type Api, type Handlers, requestsOf } from '../../protocol/api.ts';

/** An api with its handlers: what every door serves. */
export interface Domain {
  readonly api: Api;
  readonly handlers: Handlers<Api>;
}

/** Pairs an api with its handlers; a missing or mistyped handler does not compile. */
export function domain<A extends Api>(api: A, handlers: Handlers<A>): Domain {
  return { api, handlers: handlers as unknown as Handlers<Api> };
}

/** A domain whose handlers are asked for with each request, so that they need not be loaded before the first. */
export function domainOnDemand<A extends Api>(api: A, load: () => Promise<Handlers<A>>): Domain {
  const table = async () => (await load()) as Record<string, (params: unknown, signal: AbortSignal) => unknown>;
  const handlers = requestsOf(api).map(([name]) => [
    name,
    async (params: unknown, signal: AbortSignal) => (await table())[name]?.(params, signal),
  ]);
  return { api, handlers: Object.fromEntries(handlers) as Handlers<Api> };
}
