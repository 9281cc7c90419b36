import { isAbsolute } from 'node:path';
import { parseParams } from '../../../protocol/api.ts';
import { RpcError } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { type ParameterSchema, unknownNames } from '../strictParameters.ts';
import type { Route } from './routes.ts';

type Values = Readonly<Record<string, unknown>>;

/** What a query says, each value in the type that its parameter has; a list is its name repeated. */
export function fromQuery(route: Route, query: URLSearchParams): Values {
  const values: [string, unknown][] = [];
  for (const name of new Set(query.keys())) {
    const texts = query.getAll(name);
    const schema = Object.hasOwn(route.properties, name) ? route.properties[name] : undefined;
    if (schema?.type === 'array') values.push([name, texts.map(text => toValue(text, schema.items))]);
    else if (texts.length === 1) values.push([name, toValue(texts[0] ?? '', schema)]);
    else throw invalid(route, `${name}: is given ${texts.length} times`);
  }
  return Object.fromEntries(values);
}

/** Text that is no such value stays text, and is refused with the parameter's name by its schema. */
function toValue(text: string, schema: ParameterSchema | undefined): unknown {
  if (schema?.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  const isNumber = schema?.type === 'integer' || schema?.type === 'number';
  return isNumber && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** What a body says: an object of JSON in UTF-8, or nothing for no parameters. */
export function fromBody(route: Route, body: Uint8Array): Values {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw invalid(route, 'the body is not JSON in UTF-8');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Values;
  throw invalid(route, 'the body is not a JSON object');
}

/**
 * Checks what was sent and answers the parameters. A name that is not known, at any depth, is refused, as it may be a
 * misspelt limit; a relative path is, as there is no directory that it could start from.
 * @throws CoachError `input.invalid`; `cost.unconfirmed` without `"yes": true` where money may be spent
 */
export function checkedParams(route: Route, values: Values): Values {
  const { yes, ...rest } = values;
  const params = route.spec.spends ? rest : values;
  const unknown = unknownNames(route.schema, params);
  if (unknown !== null) throw invalid(route, unknown);
  for (const [name, path] of pathsOf(params)) {
    if (!isAbsolute(path) || path.includes('\0')) throw invalid(route, `${name}: give an absolute path`);
  }
  const parsed = parse(route, params);
  if (route.spec.spends && yes !== true) throw unconfirmed(route);
  return parsed;
}

function parse(route: Route, params: Values): Values {
  try {
    return parseParams(route.path, route.spec.params, params) as Values;
  } catch (error) {
    throw error instanceof RpcError ? new CoachError('input.invalid', error.message, { hint: described }) : error;
  }
}

const replay = 'replay:';

/** The paths among parameters, which other doors would complete with their working directory. */
function pathsOf(params: Values): [name: string, path: string][] {
  const places: [string, unknown][] = ['repository', 'output', 'path'].map(name => [name, params[name]]);
  const { agents, judge } = params;
  const recordings: [string, unknown][] = Array.isArray(agents)
    ? agents.map(agent => ['agents.replay', (agent as { replay?: unknown } | null)?.replay])
    : [];
  if (typeof judge === 'string' && judge.startsWith(replay)) recordings.push(['judge', judge.slice(replay.length)]);
  const files = recordings.filter(([, reference]) => !String(reference).startsWith('session:'));
  return [...places, ...files].filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

const described = 'Parameters are described at /openapi.json.';

function invalid(route: Route, reason: string): CoachError {
  return new CoachError('input.invalid', `${route.path}: ${reason}`, { hint: described });
}

function unconfirmed(route: Route): CoachError {
  return new CoachError('cost.unconfirmed', `${route.path} may ask a model that is paid for. Nothing was done.`, {
    hint: 'Send "yes": true with it. What a run may cost is answered by POST /api/runs/plan.',
  });
}
