import * as z from 'zod';
import { plural } from '../../protocol/figures.ts';
import { exampleValue, expectedValue, type ValueSchema } from '../base/expectedValue.ts';

/** How a door writes parameters. */
export interface ParameterWords {
  /** The name of what stands at a path; empty for all of the parameters together. */
  nameOf(path: readonly string[]): string;
  /** What was given, where it may be told. */
  shown(given: unknown): string | null;
  /** An example as it may be given; null where it would not help. */
  exampleOf(name: string, value: string): string | null;
}

/** What is wrong with the parameters of a request, a sentence each in a door's own words; empty where all is well. */
export function parameterFaults(params: z.ZodType, given: unknown, words: ParameterWords): string[] {
  const parsed = params.safeParse(given);
  if (parsed.success) return [];
  const schema = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' }) as ValueSchema;
  const faults = parsed.error.issues.map(issue => {
    const path = issue.path.map(String);
    return faultOf(issue, { name: words.nameOf(path), value: at(given, path), schema: schemaAt(schema, path) }, words);
  });
  return [...new Set(faults)];
}

interface Place {
  readonly name: string;
  readonly value: unknown;
  readonly schema: ValueSchema;
}

function faultOf(issue: z.core.$ZodIssue, { name, value, schema }: Place, words: ParameterWords): string {
  if (name === '') return `${issue.message}.`;
  if (value === undefined) return `${name} is missing.`;
  if (typeof value === 'string' && value.trim() === '') {
    return `${name} "${value}": expected something that is not empty.`;
  }
  const shown = words.shown(value);
  const what = shown === null ? name : `${name} ${shown}`;
  const expected = issue.code === 'custom' ? null : (expectedValue(schema) ?? expectedBy(issue));
  if (expected === null) return `${what}: ${issue.message}.`;
  const usual = exampleValue(schema);
  const example = usual === null ? null : words.exampleOf(name, usual);
  return `${what}: expected ${expected}${example === null ? '' : `, such as ${example}`}.`;
}

/** Where the schema of one value does not tell: text and its length, lists, objects. */
function expectedBy(issue: z.core.$ZodIssue): string | null {
  if (issue.code === 'invalid_type') return kinds[issue.expected] ?? null;
  if (issue.code === 'too_big') return `at most ${sizeOf(issue.maximum, issue.origin)}`;
  if (issue.code === 'too_small') return `at least ${sizeOf(issue.minimum, issue.origin)}`;
  return null;
}

function sizeOf(count: number | bigint, origin: string): string {
  const unit = origin === 'string' ? 'character' : origin === 'array' ? 'item' : null;
  return unit === null ? String(count) : `${count} ${plural(Number(count), unit)}`;
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  number: 'a number',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce((inner, key) => (inner as Readonly<Record<string, unknown>> | null | undefined)?.[key], value);
}

/** Of a list of simple values the list's own: it tells what its items are, with an example. */
function schemaAt(schema: ValueSchema, path: readonly string[]): ValueSchema {
  return path.reduce((outer, key) => {
    if (outer.properties !== undefined) return outer.properties[key] ?? {};
    return outer.items?.properties === undefined ? outer : outer.items;
  }, schema);
}
