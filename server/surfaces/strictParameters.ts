import * as z from 'zod';

/** A JSON schema, as far as it is looked into. */
export interface ParameterSchema {
  readonly type?: unknown;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, ParameterSchema>>;
  readonly required?: readonly string[];
  /** False: the properties are all that there is. A schema: any other name may stand there with such a value. */
  readonly additionalProperties?: ParameterSchema | boolean;
  readonly items?: ParameterSchema;
  readonly anyOf?: readonly ParameterSchema[];
  readonly oneOf?: readonly ParameterSchema[];
}

/**
 * The JSON schema of parameters as strangers must send them: no object takes a name that it does not know, as that may be
 * a misspelt limit. Our own clients are read with more patience: a newer one may send what an older server does not know.
 */
export function strictSchema(params: z.ZodType): ParameterSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(params, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      if (def.type === 'object' && def.catchall === undefined) jsonSchema.additionalProperties = false;
    },
  });
  return schema as ParameterSchema;
}

/** What is said of the first object that holds names which it does not know; null where there is none. */
export function unknownNames(schema: ParameterSchema, value: unknown, path = ''): string | null {
  if (Array.isArray(value)) return first(value, item => unknownNames(schema.items ?? {}, item, path));
  if (typeof value !== 'object' || value === null) return null;
  const choices = (schema.anyOf ?? schema.oneOf)?.filter(choice => mayBe(choice, value));
  if (choices !== undefined) {
    const words = choices.map(choice => unknownNames(choice, value, path));
    return words.includes(null) ? null : (words[0] ?? null);
  }
  const { properties = {}, additionalProperties = true } = schema;
  const unknown = Object.keys(value).filter(name => !Object.hasOwn(properties, name));
  if (additionalProperties === false && unknown.length > 0) return refusal(unknown, Object.keys(properties), path);
  const others = typeof additionalProperties === 'object' ? additionalProperties : {};
  return first(Object.entries(value), ([name, inner]) => {
    const schemaOfIt = Object.hasOwn(properties, name) ? properties[name] : others;
    return unknownNames(schemaOfIt ?? {}, inner, path === '' ? name : `${path}.${name}`);
  });
}

function first<T>(values: readonly T[], find: (value: T) => string | null): string | null {
  for (const value of values) {
    const found = find(value);
    if (found !== null) return found;
  }
  return null;
}

/** Whether an object may be meant by one of several schemas: what tells them apart fits. */
function mayBe({ type, properties = {} }: ParameterSchema, value: object): boolean {
  const told = Object.entries(properties).filter(([, property]) => property.const !== undefined);
  return (
    type === 'object' && told.every(([name, property]) => (value as Record<string, unknown>)[name] === property.const)
  );
}

function refusal(unknown: readonly string[], known: readonly string[], path: string): string {
  const shown = unknown.slice(0, 10).map(name => (path === '' ? name : `${path}.${name}`).slice(0, 100));
  const where = path === '' ? 'Known' : `Known in ${path}`;
  return `no such parameter: ${shown.join(', ')}. ${where}: ${known.join(', ') || 'none'}`;
}
