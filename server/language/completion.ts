import { getLocation } from 'jsonc-parser';
import { startValue, written } from './edits.ts';
import type { ParsedFile } from './parsedFile.ts';
import { type JsonSchema, schemasAt, valuesAt } from './schema.ts';
import { contains, find, type Path, type Span, walk } from './tree.ts';
import { takes } from './words.ts';

/** Something that can be written at a place. */
export interface Proposal {
  readonly label: string;
  readonly kind: 'key' | 'table' | 'value';
  readonly span: Span;
  readonly text: string;
  /** Where in `text` the person goes on writing. */
  readonly caret?: number;
  readonly detail?: string;
  readonly description?: string;
  readonly deprecated?: boolean;
}

/** Names that values are taken from. */
export interface Names {
  readonly agents: readonly string[];
  readonly tests: readonly string[];
  readonly tasks: readonly string[];
}

type Place =
  | { readonly at: 'key'; readonly table: Path; readonly span: Span }
  | { readonly at: 'header'; readonly written: string; readonly isList: boolean; readonly span: Span }
  | { readonly at: 'value'; readonly path: Path; readonly span: Span };

/** What can be written where the caret stands. */
export function proposalsAt(file: ParsedFile, offset: number, names: Names): Proposal[] {
  const place = file.kind.language === 'json' ? placeInJson(file, offset) : placeInToml(file, offset);
  switch (place?.at) {
    case 'key':
      return keys(file, place.table, place.span);
    case 'header':
      return headers(file, place);
    case 'value':
      return values(file, place.path, place.span, names);
    case undefined:
      return [];
  }
}

function placeInJson({ text }: ParsedFile, offset: number): Place | null {
  const { path, isAtPropertyKey, previousNode } = getLocation(text, offset);
  const isInside =
    previousNode !== undefined &&
    contains({ start: previousNode.offset, end: previousNode.offset + previousNode.length }, offset);
  const span = isInside
    ? { start: previousNode.offset, end: previousNode.offset + previousNode.length }
    : { start: offset, end: offset };
  return isAtPropertyKey ? { at: 'key', table: path.slice(0, -1), span } : { at: 'value', path, span };
}

function placeInToml(file: ParsedFile, offset: number): Place | null {
  const { text, sections } = file;
  const section = sections.findLast(({ start }) => start <= offset) ?? sections[0];
  if (section === undefined) return null;
  const inValue = valueAt(file, offset);
  if (inValue !== null) return inValue;
  const before = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  const header = /^\s*(\[\[?)([\w.-]*)$/.exec(before);
  if (header !== null) {
    const [, bracket = '', name = ''] = header;
    return {
      at: 'header',
      written: name,
      isList: bracket === '[[',
      span: { start: offset - name.length, end: offset },
    };
  }
  const assigned = /^\s*([\w.-]+)\s*=\s*(\[\s*)?("[^"]*)?$/.exec(before);
  if (assigned !== null) {
    const [, key = '', list, quoted = ''] = assigned;
    const path = [...section.path, ...key.split('.'), ...(list === undefined ? [] : [0])];
    const closing = quoted !== '' && text[offset] === '"' ? 1 : 0;
    return { at: 'value', path, span: { start: offset - quoted.length, end: offset + closing } };
  }
  const key = /^\s*([\w-]*)$/.exec(before)?.[1];
  if (key === undefined || offset < section.bodyStart) return null;
  const rest = /^[\w-]*/.exec(text.slice(offset))?.[0] ?? '';
  return { at: 'key', table: section.path, span: { start: offset - key.length, end: offset + rest.length } };
}

/** The innermost value that the caret stands in. */
function valueAt({ root }: ParsedFile, offset: number): Place | null {
  let place: Place | null = null;
  for (const { path, node } of walk(root)) {
    if (node.kind !== 'scalar' || !contains(node.span, offset)) continue;
    place = { at: 'value', path, span: node.span };
  }
  return place;
}

function keys(file: ParsedFile, table: Path, span: Span): Proposal[] {
  const { node, depth } = find(file.root, table);
  const taken = new Set<string>();
  if (depth === table.length && node.kind === 'table') {
    for (const { key, keySpan } of node.members) if (!contains(keySpan, span.start)) taken.add(key);
  }
  const proposals = new Map<string, Proposal>();
  for (const schema of file.kind.rules.flatMap(({ json }) => schemasAt(json, file.root, table))) {
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      if (taken.has(key) || proposals.has(key) || property.deprecated) continue;
      const isTable = property.type === 'object' || property.oneOf !== undefined;
      if (file.kind.language === 'toml' && isTable) continue;
      proposals.set(key, keyProposal(file, key, property, span));
    }
  }
  return [...proposals.values()];
}

function keyProposal(file: ParsedFile, key: string, property: JsonSchema, span: Span): Proposal {
  const isJson = file.kind.language === 'json';
  const name = isJson ? JSON.stringify(key) : key;
  // What follows on the line is there already when a key is changed.
  const isAssigned = /^\s*[=:]/.test(file.text.slice(span.end, span.end + 40));
  const value = written(file, startValue(property));
  const text = isAssigned ? name : `${name}${isJson ? ': ' : ' = '}${value}`;
  const caret = /["\]}]$/.test(value) ? text.length - 1 : text.length;
  return { label: key, kind: 'key', span, text, ...(isAssigned ? {} : { caret }), ...told(property, []) };
}

function headers(file: ParsedFile, { written: begun, isList, span }: Extract<Place, { at: 'header' }>): Proposal[] {
  const proposals = new Map<string, Proposal>();
  for (const { json } of file.kind.rules) {
    for (const [name, schema] of tables(json, '')) {
      const isOfLists = schema.type === 'array';
      const isThere = !isOfLists && file.sections.some(({ path }) => path.join('.') === name);
      if (isOfLists !== isList || isThere || !name.startsWith(begun) || proposals.has(name)) continue;
      const closed = file.text[span.end] === ']';
      proposals.set(name, {
        label: name,
        kind: 'table',
        span,
        text: `${name}${closed ? '' : isList ? ']]' : ']'}`,
        ...told(schema, []),
      });
    }
  }
  return [...proposals.values()];
}

/** The tables that a schema names, by what their headers say. */
function* tables(schema: JsonSchema, prefix: string): Generator<[string, JsonSchema]> {
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const name = `${prefix}${key}`;
    const isTable = property.type === 'object' || property.oneOf !== undefined;
    if (isTable || (property.type === 'array' && property.items?.type === 'object')) yield [name, property];
    if (property.type === 'object') yield* tables(property, `${name}.`);
  }
}

function values(file: ParsedFile, path: Path, span: Span, names: Names): Proposal[] {
  const schemas = file.kind.rules.flatMap(({ json }) => schemasAt(json, file.root, path));
  const known = new Set(file.kind.rules.flatMap(({ json }) => valuesAt(json, file.root, path)));
  for (const schema of schemas) {
    if (schema.names !== undefined) for (const name of names[`${schema.names}s`]) known.add(name);
    if (schema.default !== undefined && schema.default !== null) known.add(schema.default);
  }
  const [schema = {}] = schemas;
  return [...known].map(value => {
    const text = written(file, value);
    return { label: typeof value === 'string' ? value : text, kind: 'value', span, text, ...told(schema, [...known]) };
  });
}

function told(schema: JsonSchema, known: readonly unknown[]): Pick<Proposal, 'detail' | 'description'> {
  const detail = known.length > 0 ? '' : takes(schema, [], 'toml');
  return {
    ...(detail === '' ? {} : { detail }),
    ...(schema.description === undefined ? {} : { description: schema.description }),
  };
}
