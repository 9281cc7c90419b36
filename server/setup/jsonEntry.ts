import {
  applyEdits,
  type FormattingOptions,
  findNodeAtLocation,
  getNodeValue,
  modify,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { CoachError } from '../../protocol/errors.ts';
import { insertionOf } from './insertion.ts';
import { withoutProperty } from './jsonRemoval.ts';

const byteOrderMark = '\uFEFF';

/**
 * A JSON text, with comments or without, with `value` at a path where nothing stands yet. Every other byte stays.
 * @throws CoachError `input.invalid` when the text is no JSON object
 */
export function addToJson(text: string, path: readonly string[], value: object): string {
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : '';
  const body = text.slice(mark.length);
  const source = body.trim() === '' ? '{}\n' : body;
  requireObject(source);
  const formatted = applyEdits(source, modify(source, [...path], value, { formattingOptions: formatting(source) }));
  // The formatter takes whole lines in hand; where that would touch a neighbour, our entry stays unformatted.
  const keeps = body.trim() === '' || insertionOf(source, formatted) !== null;
  return mark + (keeps ? formatted : applyEdits(source, modify(source, [...path], value, {})));
}

/** The text without what stands at the path, and without the object that held nothing else. */
export function removeFromJson(text: string, path: readonly string[]): string {
  const property = nodeAt(text, path)?.parent;
  if (property === undefined) return text;
  const without = withoutProperty(text, property);
  const group = path.length > 1 ? nodeAt(without, path.slice(0, -1)) : undefined;
  if (group?.parent === undefined) return without;
  const empty = /^\{\s*\}$/.test(without.slice(group.offset, group.offset + group.length));
  return empty ? withoutProperty(without, group.parent) : without;
}

/**
 * What a text of a JSON object says, with comments or without; an empty text says nothing.
 * @throws CoachError `input.invalid` when it is no JSON object
 */
export function parseJson(text: string): Record<string, unknown> {
  const body = text.startsWith(byteOrderMark) ? text.slice(byteOrderMark.length) : text;
  return body.trim() === '' ? {} : (getNodeValue(requireObject(body)) as Record<string, unknown>);
}

/** What stands at a path and the line it begins on, from 1; null when nothing does or the text can't be read. */
export function jsonAt(text: string, path: readonly string[]): { value: unknown; line: number } | null {
  const node = nodeAt(text, path);
  if (node === undefined) return null;
  return { value: getNodeValue(node) as unknown, line: text.slice(0, node.offset).split('\n').length };
}

function nodeAt(text: string, path: readonly string[]): Node | undefined {
  const root = parseTree(text, [], { allowTrailingComma: true });
  return root === undefined ? undefined : findNodeAtLocation(root, [...path]);
}

function requireObject(text: string): Node {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    const line = text.slice(0, error.offset).split('\n').length;
    throw new CoachError('input.invalid', `line ${line}: ${printParseErrorCode(error.error)}`);
  }
  if (root?.type !== 'object') throw new CoachError('input.invalid', 'it is no JSON object');
  return root;
}

/** As the text is written already; two spaces where it does not tell. */
function formatting(text: string): FormattingOptions {
  const indent = /\n([ \t]+)["/]/.exec(text)?.[1] ?? '  ';
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
}
