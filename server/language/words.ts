import type { JsonSchema } from './schema.ts';

/** How a type of JSON Schema is called in messages, in the language of the file. */
export function typeWords(type: string, language: 'toml' | 'json'): string {
  switch (type) {
    case 'string':
      return 'a text in quotes';
    case 'number':
      return 'a number';
    case 'integer':
    case 'int':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    case 'array':
      return 'a list: […]';
    case 'object':
    case 'record':
      return language === 'toml' ? 'a table' : 'an object: {…}';
    default:
      return type;
  }
}

/** What a key takes: its type or values, and their range. */
export function takes(schema: JsonSchema, values: readonly unknown[], language: 'toml' | 'json'): string {
  if (values.length > 0) return values.map(value => `\`${JSON.stringify(value)}\``).join(', ');
  const types = (typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])).map(type =>
    typeWords(type, language),
  );
  const range = [
    ...(schema.exclusiveMinimum === undefined ? [] : [`above ${schema.exclusiveMinimum}`]),
    ...(schema.minimum === undefined ? [] : [`from ${schema.minimum}`]),
    ...(schema.maximum === undefined || schema.maximum >= Number.MAX_SAFE_INTEGER ? [] : [`up to ${schema.maximum}`]),
  ];
  return [types.join(' or '), ...(range.length === 0 ? [] : [range.join(' ')])].filter(Boolean).join(', ');
}

/** The alternatives of a sentence: `a`, `b` or `c`. */
export function oneOf(values: readonly unknown[]): string {
  const words = values.map(value => JSON.stringify(value));
  const last = words.pop() ?? '';
  return words.length === 0 ? last : `${words.join(', ')} or ${last}`;
}
