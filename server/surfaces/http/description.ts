import * as z from 'zod';
import { ErrorShape } from '../../../protocol/errors.ts';
import { version } from '../../base/version.ts';
import type { Route } from './routes.ts';

/** What `GET /` answers to everyone: no more than how to go on. */
export const welcome = `Codex Coach: records coding agents, makes tasks of their sessions, runs agents on them and judges the result.

GET  /openapi.json   describes every request (OpenAPI 3.1)
GET  /api/events     what happens, as server-sent events
     /api/…          the requests

Everything but this page needs the header that stands in the file http.header of COACH_HOME:
  curl -H @"$HOME/.codex-coach/http.header" <address>/openapi.json
`;

/** The routes as OpenAPI 3.1, whose schemas are JSON Schema 2020-12 as zod writes it. */
export function describeApi(routes: readonly Route[], eventNames: readonly string[]): object {
  const paths = routes.map(route => [route.path, { [route.method.toLowerCase()]: operationOf(route) }]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Codex Coach',
      version,
      description:
        'Any request that is sent with Accept: text/event-stream is answered as server-sent events: those of ' +
        '/api/events while it lasts, `output` with the words of a program that it runs, and `result` or `error` at the end. ' +
        'A request ends when its connection does, and that ends when nothing of an answer is read for half a minute.',
    },
    security: [{ token: [] }],
    paths: { ...Object.fromEntries(paths), '/api/events': { get: eventsOperation(eventNames) } },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: schemaOf(ErrorShape) },
    },
  };
}

function operationOf(route: Route): object {
  const { spec, api, name } = route;
  return {
    operationId: `${api}_${name}`,
    tags: [api],
    summary: spec.summary,
    ...(route.method === 'GET' ? { parameters: queryOf(route) } : { requestBody: bodyOf(route) }),
    responses: {
      200: { description: 'Done.', content: { 'application/json': { schema: schemaOf(spec.result) } } },
      default: {
        description: 'Refused or failed.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

function queryOf(route: Route): object[] {
  return Object.entries(route.properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: route.schema.required?.includes(name) ?? false,
    schema,
  }));
}

function bodyOf(route: Route): object {
  const needed = [...(route.schema.required ?? []), ...(route.spec.spends ? ['yes'] : [])];
  const properties = { ...route.properties, ...(route.spec.spends ? { yes: confirmation } : {}) };
  return {
    required: needed.length > 0,
    content: {
      'application/json': { schema: { ...route.schema, properties, required: needed } },
    },
  };
}

const confirmation = { const: true, description: 'Allows to spend money: a model that is paid for may be asked.' };

function eventsOperation(names: readonly string[]): object {
  return {
    operationId: 'events',
    tags: ['events'],
    summary: 'What happens from now on. Nothing is repeated: the journal of a run is answered by /api/runs/events.',
    parameters: [{ name: 'event', in: 'query', required: false, schema: { type: 'array', items: { enum: names } } }],
    responses: {
      200: {
        description: 'Server-sent events by these names, with the payload as JSON.',
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
    },
  };
}

function schemaOf(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
  return rest;
}
