import type * as z from 'zod';
import { type Channel, type Disposable, RpcError } from './channel.ts';
import { CoachError, ErrorShape, rpcCodes } from './errors.ts';

/** Where a request can be called from, besides the editor's own client. */
export type Door = 'webview' | 'http' | 'mcp' | 'cli';

export interface RequestSpec<P extends z.ZodType = z.ZodType, R extends z.ZodType = z.ZodType> {
  readonly kind: 'request';
  readonly summary: string;
  readonly params: P;
  readonly result: R;
  readonly expose: readonly Door[];
  /** True when the call changes nothing: MCP's `readOnlyHint`, HTTP GET. */
  readonly readOnly: boolean;
  /** True when the call may cause requests to a model that is paid for: HTTP then wants `yes`. */
  readonly spends: boolean;
  /** Parameters that stand without a flag on the command line, in order. */
  readonly positional: readonly string[];
  /** The MCP tool's name where it differs from `<api>_<request>`. */
  readonly tool: string | null;
  /** Whether an answer says that it is not as it should be: on the command line that is a failure. */
  isFailure(answer: z.output<R>): boolean;
}

export interface EventSpec<T extends z.ZodType = z.ZodType> {
  readonly kind: 'event';
  readonly payload: T;
}

export type Members = Readonly<Record<string, RequestSpec | EventSpec>>;

export interface Api<N extends string = string, M extends Members = Members> {
  readonly name: N;
  readonly members: M;
}

/** One side of a domain's border: requests and events under a name, declared once for every transport. */
export function api<N extends string, M extends Members>(name: N, members: M): Api<N, M> {
  return { name, members };
}

export function request<P extends z.ZodType, R extends z.ZodType>(spec: {
  summary: string;
  params: P;
  result: R;
  expose?: readonly Door[];
  readOnly?: boolean;
  spends?: boolean;
  positional?: readonly string[];
  tool?: string;
  isFailure?: (answer: z.output<R>) => boolean;
}): RequestSpec<P, R> {
  return {
    kind: 'request',
    summary: spec.summary,
    params: spec.params,
    result: spec.result,
    expose: spec.expose ?? [],
    readOnly: spec.readOnly ?? false,
    spends: spec.spends ?? false,
    positional: spec.positional ?? [],
    tool: spec.tool ?? null,
    isFailure: spec.isFailure ?? (() => false),
  };
}

export function event<T extends z.ZodType>(payload: T): EventSpec<T> {
  return { kind: 'event', payload };
}

type MembersOf<A> = A extends Api<string, infer M> ? M : never;
type RequestNames<M> = { [K in keyof M]: M[K] extends RequestSpec ? K : never }[keyof M];
type EventNames<M> = { [K in keyof M]: M[K] extends EventSpec ? K : never }[keyof M];

/** A handler for every request of an api; parameters arrive parsed, results are checked by the compiler. */
export type Handlers<A> = {
  [K in RequestNames<MembersOf<A>>]: MembersOf<A>[K] extends RequestSpec<infer P, infer R>
    ? (params: z.output<P>, signal: AbortSignal) => Promise<z.input<R>> | z.input<R>
    : never;
};

export type Remote<A> = {
  [K in RequestNames<MembersOf<A>>]: MembersOf<A>[K] extends RequestSpec<infer P, infer R>
    ? (params: z.input<P>, signal?: AbortSignal) => Promise<z.output<R>>
    : never;
} & {
  on<K extends EventNames<MembersOf<A>>>(
    name: K,
    listener: (payload: MembersOf<A>[K] extends EventSpec<infer T> ? z.output<T> : never) => void,
  ): Disposable;
};

export type EventPayload<A, K> = K extends keyof MembersOf<A>
  ? MembersOf<A>[K] extends EventSpec<infer T>
    ? z.input<T>
    : never
  : never;

export function methodOf(apiName: string, member: string): string {
  return `coach/${apiName}/${member}`;
}

/** What `methodOf` put together, or null. */
export function memberOf(method: string): { apiName: string; member: string } | null {
  const [prefix, apiName, member, ...rest] = method.split('/');
  if (prefix !== 'coach' || apiName === undefined || member === undefined || rest.length > 0) return null;
  return { apiName, member };
}

/** The requests of an api with their names, in declaration order. */
export function requestsOf(target: Api): [name: string, spec: RequestSpec][] {
  return Object.entries(target.members).filter((entry): entry is [string, RequestSpec] => entry[1].kind === 'request');
}

/** Parses what came over a border; a failure is `-32602` with one readable line per fault. */
export function parseParams<S extends z.ZodType>(method: string, schema: S, params: unknown): z.output<S> {
  const parsed = schema.safeParse(params ?? {});
  if (parsed.success) return parsed.data;
  throw new RpcError(rpcCodes.invalidParams, `${method}: ${readableIssues(parsed.error)}`);
}

export function readableIssues(error: z.ZodError): string {
  return error.issues
    .map(issue => (issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message))
    .join('; ');
}

/** Answers an api's requests on a channel until disposed. `only` narrows it to one door's allow-list. */
export function serve<A extends Api>(target: A, handlers: Handlers<A>, channel: Channel, only?: Door): Disposable {
  const table = handlers as Record<string, (params: unknown, signal: AbortSignal) => unknown>;
  const disposables = requestsOf(target)
    .filter(([, spec]) => only === undefined || spec.expose.includes(only))
    .map(([name, spec]) => {
      const method = methodOf(target.name, name);
      const handler = table[name];
      if (handler === undefined) throw new Error(`No handler for ${method}`);
      return channel.onRequest(method, async (params, signal) =>
        handler(parseParams(method, spec.params, params), signal),
      );
    });
  return { dispose: () => disposables.forEach(disposable => void disposable.dispose()) };
}

/** Sends one event of an api over a channel. */
export function publish<A extends Api, K extends string>(
  target: A,
  channel: Channel,
  name: K,
  payload: EventPayload<A, K>,
): void {
  channel.notify(methodOf(target.name, name), payload);
}

/** One call over a channel: the answer parsed, faults rebuilt as CoachError. */
export async function call<R extends z.ZodType>(
  channel: Channel,
  method: string,
  spec: RequestSpec<z.ZodType, R>,
  params: unknown,
  signal?: AbortSignal,
): Promise<z.output<R>> {
  const answer = await channel.request(method, params, signal).catch((error: unknown) => {
    throw toCoachError(error);
  });
  const parsed = spec.result.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new CoachError('internal', `${method} answered in an unknown shape: ${readableIssues(parsed.error)}`, {
    hint: 'The background server may be another version. Run: codex-coach server stop',
  });
}

/** The same api from the other end: typed calls, results parsed here, faults rebuilt as CoachError. */
export function remote<A extends Api>(target: A, channel: Channel): Remote<A> {
  const calls: Record<string, unknown> = {};
  for (const [name, spec] of requestsOf(target)) {
    const method = methodOf(target.name, name);
    calls[name] = (params: unknown, signal?: AbortSignal) => call(channel, method, spec, params, signal);
  }
  calls['on'] = (name: string, listener: (payload: unknown) => void) => {
    const spec = target.members[name];
    if (spec?.kind !== 'event') throw new Error(`No event ${target.name}.${name}`);
    return channel.onNotify(methodOf(target.name, name), payload => {
      const parsed = spec.payload.safeParse(payload);
      if (parsed.success) listener(parsed.data);
    });
  };
  return calls as Remote<A>;
}

/** An error as it crosses a channel: number, text and, for our own, its code and hint. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const coach = CoachError.from(error);
  const code = coach.code === 'cancelled' ? rpcCodes.cancelled : rpcCodes.coach;
  return new RpcError(code, coach.message, coach.toShape());
}

function toCoachError(error: unknown): CoachError {
  if (error instanceof CoachError) return error;
  const rpc = error as { code?: unknown; message?: unknown; data?: unknown };
  const shape = ErrorShape.safeParse(rpc.data);
  if (shape.success) return CoachError.fromShape(shape.data);
  const message = typeof rpc.message === 'string' ? rpc.message : String(error);
  if (rpc.code === rpcCodes.invalidParams) return new CoachError('input.invalid', message, { cause: error });
  if (rpc.code === rpcCodes.cancelled) return new CoachError('cancelled', 'Cancelled.', { cause: error });
  return new CoachError('internal', message, { cause: error });
}
