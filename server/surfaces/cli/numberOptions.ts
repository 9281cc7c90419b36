import { InvalidArgumentError } from 'commander';
import * as z from 'zod';
import { exampleValue, expectedValue, type ValueSchema } from '../../base/expectedValue.ts';

/** Reads an option that a request takes as this number, within its bounds. */
export function numberOf(schema: z.ZodType): (text: string) => number {
  return text => {
    const parsed = schema.safeParse(text.trim() === '' ? Number.NaN : Number(text));
    if (parsed.success) return parsed.data as number;
    const value = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as ValueSchema;
    const example = exampleValue(value);
    throw new InvalidArgumentError(`Give ${expectedValue(value)}${example === null ? '' : `, such as ${example}`}.`);
  };
}

/** Reads an option that is a port. */
export function portNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new InvalidArgumentError('Give a port from 0 to 65535; 0 takes a free one.');
}
