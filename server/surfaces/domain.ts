import { type Api, type Handlers, memberOf, parseParams } from '../../protocol/api.ts';
import { RpcError } from '../../protocol/channel.ts';
import { rpcCodes } from '../../protocol/errors.ts';

/** An api with its handlers: what every door serves. */
export interface Domain {
  readonly api: Api;
  readonly handlers: Handlers<Api>;
}

/** Domains by the names of their apis. Asked for with each request, so that none need be loaded before its first. */
export type Domains = Readonly<Record<string, () => Promise<Domain>>>;

/** Pairs an api with its handlers; a missing or mistyped handler does not compile. */
export function domain<A extends Api>(api: A, handlers: Handlers<A>): Domain {
  return { api, handlers: handlers as unknown as Handlers<Api> };
}

/**
 * Answers one request.
 * @throws RpcError when there is no such request, or its parameters are not what it takes; and what its handler throws
 */
export async function answer(domains: Domains, method: string, params: unknown, signal: AbortSignal): Promise<unknown> {
  const { apiName = '', member = '' } = memberOf(method) ?? {};
  const found = Object.hasOwn(domains, apiName) ? await domains[apiName]?.() : undefined;
  const spec = found?.api.members[member];
  const table = found?.handlers as Record<string, (params: unknown, signal: AbortSignal) => unknown> | undefined;
  if (spec?.kind !== 'request') throw new RpcError(rpcCodes.noMethod, `There is no request ${method}.`);
  return table?.[member]?.(parseParams(method, spec.params, params), signal);
}
