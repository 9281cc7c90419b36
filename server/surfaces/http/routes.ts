import { type Api, call, methodOf, type RequestSpec, requestsOf } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { type ParameterSchema, strictSchema } from '../strictParameters.ts';

/** How a route is answered: `tell` passes on what the work says while it lasts. */
type Answer = (params: unknown, signal: AbortSignal, tell: (text: string) => void) => Promise<unknown>;

/** One request that is answered over HTTP. */
export interface Route {
  /** GET takes its parameters from the query, POST from a JSON body. */
  readonly method: 'GET' | 'POST';
  /** Exact, without a query. */
  readonly path: string;
  readonly api: string;
  readonly name: string;
  readonly spec: RequestSpec;
  /** Of the parameters; `yes` is none of them. */
  readonly schema: ParameterSchema;
  readonly properties: Readonly<Record<string, ParameterSchema>>;
  readonly answer: Answer;
}

/** The routes of what the apis expose to HTTP, in declaration order, each forwarded to the channel. */
export function routesOf(apis: readonly Api[], channel: Channel): Route[] {
  return apis.flatMap(api =>
    requestsOf(api)
      .filter(([, spec]) => spec.expose.includes('http'))
      .map(([name, spec]) =>
        toRoute(api.name, name, spec, (params, signal) =>
          call(channel, methodOf(api.name, name), spec, params, signal),
        ),
      ),
  );
}

/** `/api/<api>/<request>`. What changes nothing is a GET, unless its parameters are too much for a query. */
export function toRoute(api: string, name: string, spec: RequestSpec, answer: Answer): Route {
  const schema = strictSchema(spec.params);
  const { properties = {} } = schema;
  const isFlat = Object.values(properties).every(property => isPlain(property) || isPlain(property.items));
  return {
    method: spec.readOnly && isFlat ? 'GET' : 'POST',
    path: `/api/${api}/${toKebab(name)}`,
    ...{ api, name, spec, schema, properties, answer },
  };
}

const plainTypes: readonly unknown[] = ['string', 'integer', 'number', 'boolean'];

function isPlain(schema: ParameterSchema | undefined): boolean {
  return plainTypes.includes(schema?.type);
}

function toKebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}
