import { nearest } from '../base/nearest.ts';
import { written } from './edits.ts';
import type { ParsedFile } from './parsedFile.ts';
import type { Fix, Problem } from './problem.ts';
import { type JsonSchema, schemasAt } from './schema.ts';
import { type Member, type Path, type TableNode, toValue, walk } from './tree.ts';

/** Keys that nothing reads, and those that another has replaced. */
export function* keyProblems(file: ParsedFile): Generator<Problem> {
  for (const { path, node } of walk(file.root)) {
    if (node.kind !== 'table') continue;
    const schemas = schemasOf(file, path);
    for (const member of node.members) {
      const known = schemas.map(({ properties }) => properties?.[member.key]).find(found => found !== undefined);
      if (known?.deprecated) yield deprecated(file, member, node, known);
      else if (known === undefined) yield* unknown(file, node, member, schemas);
    }
  }
}

function schemasOf({ kind, root }: ParsedFile, path: Path): JsonSchema[] {
  return kind.rules.flatMap(({ json }) => schemasAt(json, root, path));
}

function* unknown(
  file: ParsedFile,
  { members }: TableNode,
  { key, keySpan }: Member,
  schemas: readonly JsonSchema[],
): Generator<Problem> {
  const properties = schemas.flatMap(schema => Object.keys(schema.properties ?? {}));
  // Where any key may stand, such as the names of variables, there is nothing to be mistaken for.
  if (properties.length === 0) return;
  const isOpen = schemas.some(({ additionalProperties }) => additionalProperties !== false);
  const free = properties.filter(name => !members.some(member => member.key === name));
  const near = nearest(key, free);
  if (isOpen && near === undefined) return;
  const fixes: Fix[] = near === undefined ? [] : [{ ...renamed(file, keySpan, near), preferred: true }];
  yield {
    ...{ span: keySpan, severity: 'warning', code: 'unknownKey', fixes },
    message:
      near === undefined
        ? `\`${key}\` is no key of this section, and nothing reads it. Remove it.`
        : `\`${key}\` is no key of this section. Did you mean \`${near}\`?`,
  };
}

function deprecated(file: ParsedFile, member: Member, { members }: TableNode, schema: JsonSchema): Problem {
  const { key, keySpan, node } = member;
  const { instead } = schema;
  const value = instead === undefined ? undefined : inNewUnit(key, toValue(node));
  const canMove = value !== undefined && !members.some(other => other.key === instead);
  return {
    ...{ span: keySpan, severity: 'hint', code: 'deprecated' },
    message: `\`${key}\` is deprecated. ${instead === undefined ? 'Remove it.' : `Use \`${instead}\`.`}`,
    fixes:
      instead === undefined || !canMove
        ? []
        : [
            {
              title: `Replace by ${instead} = ${written(file, value)}`,
              edits: [...renamed(file, keySpan, instead).edits, { span: node.span, text: written(file, value) }],
              preferred: true,
            },
          ],
  };
}

/** The value of a deprecated key as the one that took its place says it; undefined when that can't be told. */
function inNewUnit(key: string, value: unknown): unknown {
  if (key === 'allow_internet') return typeof value === 'boolean' ? (value ? 'public' : 'no-network') : undefined;
  if (key !== 'memory' && key !== 'storage') return value;
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?$/i.exec(String(value)) ?? [];
  const megabytes = { K: 1 / 1024, M: 1, G: 1024, T: 1024 * 1024 }[unit.toUpperCase()];
  return amount === undefined || megabytes === undefined ? undefined : Math.ceil(Number(amount) * megabytes);
}

function renamed({ kind }: ParsedFile, keySpan: Member['keySpan'], name: string): Fix {
  return {
    title: `Change to ${name}`,
    edits: [{ span: keySpan, text: kind.language === 'json' ? JSON.stringify(name) : name }],
  };
}
