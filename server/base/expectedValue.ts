/** What a JSON Schema says of one value. */
export interface ValueSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly format?: string;
  readonly items?: ValueSchema;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  /** Of what may also be null. */
  readonly anyOf?: readonly ValueSchema[];
}

/** What a person has to give, such as `a whole number from 1 to 500`; null where the schema's own words are better. */
export function expectedValue(schema: ValueSchema): string | null {
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
  const other = unlessNull(schema);
  if (other !== null) return expectedValue(other);
  switch (schema.type) {
    case 'integer':
    case 'number':
      return `${schema.type === 'integer' ? 'a whole number' : 'a number'}${rangeOf(schema)}`;
    case 'array':
      return schema.items === undefined ? null : expectedValue(schema.items);
    case 'string':
      return schema.format === 'uri' ? 'a URL that begins with http:// or https://' : null;
    default:
      return null;
  }
}

/** A value that is taken; null where none comes to mind. */
export function exampleValue(schema: ValueSchema): string | null {
  const { default: usual, minimum, enum: names, items } = schema;
  const some = [usual].flat().filter(value => value !== undefined && value !== null && value !== '');
  if (some.length > 0) return some.join(' ');
  const other = unlessNull(schema);
  if (other !== null) return exampleValue(other);
  if (items !== undefined) return exampleValue(items);
  const first = names?.[0] ?? minimum;
  return first === undefined ? null : String(first);
}

/** The one schema beside null. */
function unlessNull({ anyOf = [] }: ValueSchema): ValueSchema | null {
  const [other = null, ...more] = anyOf.filter(({ type }) => type !== 'null');
  return more.length === 0 ? other : null;
}

function rangeOf({ minimum = -Infinity, maximum = Infinity, exclusiveMinimum }: ValueSchema): string {
  // A whole number has bounds by being one.
  const [hasLeast, hasMost] = [minimum > Number.MIN_SAFE_INTEGER, maximum < Number.MAX_SAFE_INTEGER];
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}${hasMost ? `, at most ${maximum}` : ''}`;
  if (hasLeast && hasMost) return ` from ${minimum} to ${maximum}`;
  if (hasLeast) return ` of at least ${minimum}`;
  return hasMost ? ` of at most ${maximum}` : '';
}
