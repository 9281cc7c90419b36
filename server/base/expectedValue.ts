/** What a JSON Schema says of one value. */
export interface ValueSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
  readonly items?: ValueSchema;
}

/** What a person has to give, such as `a whole number from 1 to 500`; null where the schema's own words are better. */
export function expectedValue(schema: ValueSchema): string | null {
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
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
export function exampleValue({ default: usual, minimum, enum: names, items }: ValueSchema): string | null {
  const some = [usual].flat().filter(value => value !== undefined && value !== '');
  if (some.length > 0) return some.join(' ');
  if (items !== undefined) return exampleValue(items);
  const first = names?.[0] ?? minimum;
  return first === undefined ? null : String(first);
}

function rangeOf({ minimum = -Infinity, maximum = Infinity }: ValueSchema): string {
  // A whole number has bounds by being one.
  const [hasLeast, hasMost] = [minimum > Number.MIN_SAFE_INTEGER, maximum < Number.MAX_SAFE_INTEGER];
  if (hasLeast && hasMost) return ` from ${minimum} to ${maximum}`;
  if (hasLeast) return ` of at least ${minimum}`;
  return hasMost ? ` of at most ${maximum}` : '';
}
