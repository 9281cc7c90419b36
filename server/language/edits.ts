import { stringify } from 'smol-toml';
import type { ParsedFile } from './parsedFile.ts';
import type { Edit } from './problem.ts';
import type { JsonSchema } from './schema.ts';
import { find, type Path, type TableNode } from './tree.ts';

/** Edits that add a key with a value to the table at a path; none where that is no table of this text. */
export function insertion(file: ParsedFile, into: Path, key: string, value: unknown): readonly Edit[] {
  return file.kind.language === 'json'
    ? insertionInJson(file, into, key, value)
    : insertionInToml(file, into, key, value);
}

/** A value as the file's language writes it. */
export function written(file: ParsedFile, value: unknown): string {
  if (file.kind.language === 'json') return JSON.stringify(value);
  return stringify({ value })
    .trim()
    .replace(/^value = /, '');
}

/** What a person starts from: the default, the only value there is, or an empty one of the right type. */
export function startValue(schema: JsonSchema | undefined): unknown {
  const variant = schema?.oneOf?.[0] ?? schema?.anyOf?.[0];
  if (variant !== undefined) return startValue(variant);
  const { default: fallback, const: constant, enum: values, type } = schema ?? {};
  if (fallback !== undefined && fallback !== null) return fallback;
  if (constant !== undefined) return constant;
  if (values !== undefined) return values[0];
  switch (typeof type === 'string' ? type : type?.[0]) {
    case 'number':
    case 'integer':
      return Math.max(1, schema?.minimum ?? 0);
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'object':
      return Object.fromEntries(
        Object.entries(schema?.properties ?? {})
          .filter(([key, property]) => schema?.required?.includes(key) && property.default === undefined)
          .map(([key, property]) => [key, startValue(property)]),
      );
    default:
      return '';
  }
}

function insertionInToml(file: ParsedFile, into: Path, key: string, value: unknown): readonly Edit[] {
  const line = stringify({ [key]: value }).trim();
  const { node, depth } = find(file.root, into);
  if (depth === into.length && (node.kind !== 'table' || file.text[node.span.start] === '{')) {
    return node.kind === 'table' ? insertionInBraces(node, line) : [];
  }
  const newline = newlineOf(file);
  const section = file.sections.find(
    ({ path }) => path.length === into.length && path.every((step, index) => step === into[index]),
  );
  const isTable = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (section !== undefined && !isTable) {
    const isFirst = section.path.length === 0 && section.end === section.bodyStart;
    return [{ span: at(section.end), text: isFirst ? `${line}${newline}` : `${newline}${line}` }];
  }
  // A table of a list has no name that another header could give.
  if (into.some(step => typeof step === 'number')) return [];
  const nested = into.reduceRight<unknown>((inner, step) => ({ [step]: inner }), { [key]: value });
  const lines = stringify(nested as Record<string, unknown>)
    .trim()
    .split('\n');
  const before = file.text === '' || file.text.endsWith('\n') ? '' : newline;
  return [{ span: at(file.text.length), text: `${before}${newline}${lines.join(newline)}${newline}` }];
}

function insertionInBraces({ members, span }: TableNode, line: string): readonly Edit[] {
  const last = members.at(-1);
  if (last === undefined) return [{ span: at(span.start + 1), text: ` ${line} ` }];
  return [{ span: at(last.node.span.end), text: `, ${line}` }];
}

function insertionInJson(file: ParsedFile, into: Path, key: string, value: unknown): readonly Edit[] {
  const { node, depth } = find(file.root, into);
  if (node.kind !== 'table' || depth < into.length || node.span.end === node.span.start) return [];
  const indent = indentOf(file.text, node);
  const member = `${newlineOf(file)}${indent}${JSON.stringify(key)}: ${JSON.stringify(value)}`;
  const last = node.members.at(-1);
  if (last === undefined) return [{ span: at(node.span.start + 1), text: member }];
  return [{ span: at(last.node.span.end), text: `,${member}` }];
}

/** Spaces before the members of an object. */
function indentOf(text: string, { members, span }: TableNode): string {
  const first = members[0];
  const from = first?.keySpan.start ?? span.start;
  const line = text.slice(text.lastIndexOf('\n', from - 1) + 1, from);
  const own = /^\s*/.exec(line)?.[0] ?? '';
  return first === undefined ? `${own}  ` : own;
}

function newlineOf({ text }: ParsedFile): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function at(offset: number): Edit['span'] {
  return { start: offset, end: offset };
}
