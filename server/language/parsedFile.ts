import type { FileKind } from './fileKind.ts';
import { parseJsonTree } from './json.ts';
import { parseTomlTree, type Section } from './toml.ts';
import { find, type ParsedText, type Path, type Span, type Tree } from './tree.ts';

/** A text of a task's file with the places of its parts. */
export interface ParsedFile extends ParsedText {
  readonly kind: FileKind;
  readonly text: string;
  /** Of TOML; empty in JSON. */
  readonly sections: readonly Section[];
}

export function parseTaskFile(kind: FileKind, text: string): ParsedFile {
  try {
    if (kind.language === 'json') return { kind, text, sections: [], ...parseJsonTree(text) };
    return { kind, text, ...parseTomlTree(text) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const span = { start: 0, end: 0 };
    const message = 'This file is nested too deeply to be read.';
    return { kind, text, sections: [], root: { kind: 'table', span, members: [] }, faults: [{ span, message }] };
  }
}

/** What stands for a path when something is said of it: its value, else the name of what it should stand in. */
export function spanOf(file: ParsedFile, path: Path): Span {
  const { node, member, depth } = find(file.root, path);
  if (depth === path.length && !(node.kind === 'table' && member !== null)) return node.span;
  if (member !== null) return member.keySpan;
  return firstLine(file, node);
}

/** A table without a name of its own (the file, an item of a list) is named by its first line. */
function firstLine({ text }: ParsedFile, { span }: Tree): Span {
  const line = text.slice(span.start, span.end).split(/\r?\n/, 1)[0] ?? '';
  return { start: span.start, end: span.start + line.length };
}
