import type { ParsedFile } from './parsedFile.ts';
import { schemasAt, valuesAt } from './schema.ts';
import { contains, type Span, type Visited, walk } from './tree.ts';
import { takes } from './words.ts';

/** What a key means, in Markdown; null where no key of ours stands. */
export function hoverAt(file: ParsedFile, offset: number): { readonly span: Span; readonly markdown: string } | null {
  let found: Visited | null = null;
  for (const visited of walk(file.root)) {
    const { member, node } = visited;
    if (member === null) continue;
    if (contains(member.keySpan, offset) || (node.kind !== 'table' && contains(node.span, offset))) found = visited;
  }
  if (found?.member == null) return null;
  const { path, member } = found;
  const schemas = file.kind.rules.flatMap(({ json }) => schemasAt(json, file.root, path));
  const schema = schemas.find(({ description }) => description !== undefined) ?? schemas[0];
  if (schema === undefined) return null;
  const values = [...new Set(file.kind.rules.flatMap(({ json }) => valuesAt(json, file.root, path)))];
  const kinds = takes(schema, values, file.kind.language);
  const { default: fallback, deprecated, instead } = schemas.find(each => each.default !== undefined) ?? schema;
  const lines = [
    `**${member.key}**${kinds === '' ? '' : `: ${kinds}`}`,
    ...(schema.description === undefined ? [] : [schema.description]),
    ...(fallback === undefined
      ? []
      : [fallback === null ? 'It may be left out.' : `Default: \`${JSON.stringify(fallback)}\``]),
    ...(deprecated ? [`Deprecated${instead === undefined ? '' : `: use \`${instead}\``}.`] : []),
  ];
  return { span: member.keySpan, markdown: lines.join('\n\n') };
}
