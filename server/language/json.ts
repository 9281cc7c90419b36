import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Fault, ParsedText, Span, Tree } from './tree.ts';

const words: Readonly<Record<string, string>> = {
  ColonExpected: 'Write : and a value after this key.',
  CommaExpected: 'A comma is missing here.',
  ValueExpected: 'A value is missing here: a text in quotes, a number, true, false, null, a list or an object.',
  PropertyNameExpected: 'A key in quotes stands here; there is no comma after the last one.',
  CloseBraceExpected: 'Close this object with }.',
  CloseBracketExpected: 'Close this list with ].',
  InvalidCommentToken: 'JSON has no comments. Remove it.',
  UnexpectedEndOfString: 'This text is not closed. End it with ".',
  EndOfFileExpected: 'The file ends before this. Remove what follows.',
};

/** Reads where the parts of a JSON text lie, as far as it can be read. What is JSON is JSON.parse's to say: it loads the file. */
export function parseJsonTree(text: string): ParsedText {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const faults = errors.map(({ error, offset, length }): Fault => {
    const message = words[printParseErrorCode(error)] ?? 'This is not JSON.';
    return { message, span: { start: offset, end: Math.min(offset + length, text.length) } };
  });
  if (faults.length === 0) faults.push(...refusal(text));
  return { root: root === undefined ? { kind: 'table', span: spanOf(0, 0), members: [] } : toTree(root), faults };
}

function refusal(text: string): Fault[] {
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    const { message } = error as Error;
    const start = Math.min(Number(/position (\d+)/.exec(message)?.[1] ?? 0), text.length);
    return [{ message: `This is not JSON: ${message}.`, span: spanOf(start, Math.min(1, text.length - start)) }];
  }
}

function toTree(node: Node): Tree {
  const span = spanOf(node.offset, node.length);
  if (node.type === 'array') return { kind: 'list', span, items: (node.children ?? []).map(toTree) };
  if (node.type !== 'object') return { kind: 'scalar', span, value: node.value };
  const members = (node.children ?? []).flatMap(({ children: [key, value] = [] }) =>
    key === undefined || value === undefined
      ? []
      : [{ key: String(key.value), keySpan: spanOf(key.offset, key.length), node: toTree(value) }],
  );
  return { kind: 'table', span, members };
}

function spanOf(offset: number, length: number): Span {
  return { start: offset, end: offset + length };
}
