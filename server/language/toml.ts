import { parse, TomlError } from 'smol-toml';
import type { Fault, ListNode, Member, ParsedText, Path, Span, TableNode, Tree } from './tree.ts';

/** A header with what stands below it; the root's has no header. */
export interface Section {
  readonly path: Path;
  /** Where its header begins, and where what belongs to it begins. */
  readonly start: number;
  readonly bodyStart: number;
  /** Behind its last statement: where another can be added. */
  end: number;
}

export interface ParsedToml extends ParsedText {
  readonly root: TableNode;
  /** In the order of the text; the first is the root. */
  readonly sections: readonly Section[];
}

class Stop extends Error {
  readonly span: Span;

  constructor(message: string, span: Span) {
    super(message);
    this.span = span;
  }
}

/**
 * Reads where the parts of a TOML text lie. A statement that is wrong or half written is named and passed over, so that
 * the others can be used while somebody types. What is TOML, and what a scalar means, is the word of smol-toml, which loads
 * the file in the end.
 */
export function parseTomlTree(text: string): ParsedToml {
  const reader = new TomlReader(text);
  reader.read();
  const faults = reader.faults.length > 0 ? reader.faults : [...refusal(text)];
  return { root: reader.root, sections: reader.sections, faults };
}

/** What only the whole text shows: a key that is given twice. */
function* refusal(text: string): Generator<Fault> {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const lines = text.split('\n');
    const before = lines.slice(0, error.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
    const line = (lines[error.line - 1] ?? '').replace(/\r$/, '');
    const start = Math.min(before + error.column - 1, before + line.length);
    yield { span: { start, end: Math.max(before + line.length, start) }, message: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  const [first = ''] = (error as Error).message.split('\n');
  const reason = first.replace(/^Invalid TOML document: /, '');
  return `This is not TOML: ${reason}.`;
}

/** A line that a statement can begin in, to go on from after a fault. */
const statementLine = /^[ \t]*(?:\[\[?[^\],\r\n]*\]\]?[ \t]*(?:#.*)?\r?$|[\w."'-]+[ \t]*=)/gm;
const bareKey = /[\w-]+/y;
const spaces = /[ \t]*/y;
const blank = /(?:[ \t\r\n]|#[^\n]*)*/y;
const endOfStatement = /[ \t]*(?:#[^\n]*)?(?=\r?\n|$)/y;
const bareValue = /\d{4}-\d\d-\d\d \d\d:[\d:.+-]+Z?|[^\s,\]}#=]+/iy;
const strings = [
  /"""(?:\\[\s\S]|(?!""")[^\\])*"{3,5}/y,
  /'''(?:(?!''')[\s\S])*'{3,5}/y,
  /"(?:\\.|[^"\\\r\n])*"/y,
  /'[^'\r\n]*'/y,
] as const;

class TomlReader {
  readonly root: TableNode = { kind: 'table', span: { start: 0, end: 0 }, members: [] };
  readonly sections: Section[] = [];
  readonly faults: Fault[] = [];
  readonly #text: string;
  #at = 0;
  #table: TableNode = this.root;

  constructor(text: string) {
    this.#text = text;
  }

  read(): void {
    if (this.#text.startsWith('\ufeff')) this.#at = 1;
    let section = this.#open([], this.#at, this.#at);
    this.root.span = { start: this.#at, end: this.#text.length };
    for (this.#skip(blank); this.#at < this.#text.length; this.#skip(blank)) {
      const start = this.#at;
      try {
        const header = this.#text[start] === '[' ? this.#header() : null;
        if (header !== null) section = header;
        else this.#assignment();
        if (this.#skip(endOfStatement) === null) {
          throw new Stop('Only one statement fits on a line. Begin a new line here.', this.#restOfLine());
        }
        section.end = this.#at;
        this.#table.span = { start: this.#table.span.start, end: this.#at };
      } catch (error) {
        if (!(error instanceof Stop)) throw error;
        this.faults.push({ message: error.message, span: error.span });
        section.end = Math.max(section.end, this.#lineEnd(start));
        // What follows a header that can't be read belongs to no table that we know.
        if (this.#text[start] === '[') this.#table = { kind: 'table', span: { start, end: start }, members: [] };
        this.#resumeAfter(start);
      }
    }
  }

  #open(path: Path, start: number, bodyStart: number): Section {
    const section = { path, start, bodyStart, end: bodyStart };
    this.sections.push(section);
    return section;
  }

  #header(): Section {
    const start = this.#at;
    const isList = this.#text[start + 1] === '[';
    const bracket = isList ? ']]' : ']';
    this.#at += bracket.length;
    const keys = this.#keys();
    this.#skip(spaces);
    if (!this.#text.startsWith(bracket, this.#at)) {
      throw new Stop(`Close the name of this table with ${bracket}.`, { start, end: this.#lineEnd(start) });
    }
    this.#at += bracket.length;
    const span = { start, end: this.#at };
    const path: (string | number)[] = [];
    let table = this.root;
    for (const [index, { key, span: keySpan }] of keys.entries()) {
      const last = index === keys.length - 1;
      path.push(key);
      const member = childOf(table, key, keySpan, () =>
        last && isList ? { kind: 'list', span, items: [] } : { kind: 'table', span, members: [] },
      );
      const next = this.#enter(member, last && isList, span);
      if (next.index !== null) path.push(next.index);
      table = next.table;
    }
    this.#table = table;
    return this.#open(path, start, this.#at);
  }

  /** The table that a step of a header leads to; of a list of tables, a new one or the last one. */
  #enter(
    { key, keySpan, node }: Member,
    adds: boolean,
    span: Span,
  ): { readonly table: TableNode; readonly index: number | null } {
    if (node.kind === 'table' && !adds) return { table: node, index: null };
    if (node.kind === 'list') {
      if (adds) node.items.push({ kind: 'table', span, members: [] });
      const table = node.items.at(-1);
      if (table?.kind === 'table') return { table, index: node.items.length - 1 };
    }
    throw new Stop(`${key} is no table: it has a value already.`, span.start <= keySpan.start ? keySpan : span);
  }

  #assignment(): void {
    const keys = this.#keys();
    this.#skip(spaces);
    const first = keys[0];
    const last = keys.at(-1);
    if (first === undefined || last === undefined) return;
    if (this.#text[this.#at] !== '=') {
      throw new Stop('Write = and a value after this key.', { start: first.span.start, end: last.span.end });
    }
    this.#at += 1;
    this.#skip(spaces);
    const node = this.#value();
    this.#put(this.#table, keys, node);
  }

  #put(into: TableNode, keys: readonly { key: string; span: Span }[], node: Tree): void {
    let table = into;
    for (const { key, span } of keys.slice(0, -1)) {
      const member = childOf(table, key, span, () => ({ kind: 'table', span, members: [] }));
      if (member.node.kind !== 'table') throw new Stop(`${key} is no table: it has a value already.`, span);
      table = member.node;
    }
    const last = keys.at(-1);
    if (last !== undefined) table.members.push({ key: last.key, keySpan: last.span, node });
  }

  #keys(): { key: string; span: Span }[] {
    const keys: { key: string; span: Span }[] = [];
    for (;;) {
      this.#skip(spaces);
      const start = this.#at;
      const quoted = this.#skip(strings[2]) ?? this.#skip(strings[3]);
      const bare = quoted === null ? this.#skip(bareKey) : null;
      if (quoted === null && bare === null)
        throw new Stop('A key stands here: letters, digits, - and _, or a text in quotes.', this.#restOfLine());
      const span = { start, end: this.#at };
      keys.push({ key: bare ?? String(this.#scalar(quoted ?? '', span)), span });
      this.#skip(spaces);
      if (this.#text[this.#at] !== '.') return keys;
      this.#at += 1;
    }
  }

  #value(): Tree {
    const start = this.#at;
    const character = this.#text[start];
    if (character === '[') return this.#list();
    if (character === '{') return this.#inlineTable();
    if (character === '"' || character === "'") return this.#string(start);
    const bare = this.#skip(bareValue);
    const span = { start, end: this.#at };
    if (bare === null)
      throw new Stop('A value is missing here: a text in quotes, a number, true, false or a list.', this.#restOfLine());
    return { kind: 'scalar', span, value: this.#scalar(bare, span) };
  }

  #string(start: number): Tree {
    for (const pattern of strings) {
      const raw = this.#skip(pattern);
      if (raw === null) continue;
      // An empty text before a quotation mark is the beginning of a long text that does not end.
      if (raw.length === 2 && this.#text[this.#at] === raw[0]) break;
      const span = { start, end: this.#at };
      return { kind: 'scalar', span, value: this.#scalar(raw, span) };
    }
    const quotes = /^("""|'''|["'])/.exec(this.#text.slice(start, start + 3))?.[0] ?? '"';
    throw new Stop(`This text is not closed. End it with ${quotes}.`, { start, end: this.#lineEnd(start) });
  }

  #list(): ListNode {
    const start = this.#at++;
    const items: Tree[] = [];
    for (;;) {
      this.#skip(blank);
      if (this.#text[this.#at] === ']') break;
      if (this.#at >= this.#text.length) throw this.#unclosed(start, ']');
      items.push(this.#value());
      this.#skip(blank);
      if (this.#text[this.#at] === ',') this.#at += 1;
      else if (this.#text[this.#at] !== ']') throw this.#unclosed(start, ']');
    }
    this.#at += 1;
    return { kind: 'list', span: { start, end: this.#at }, items };
  }

  #inlineTable(): TableNode {
    const start = this.#at++;
    const table: TableNode = { kind: 'table', span: { start, end: start }, members: [] };
    for (;;) {
      this.#skip(blank);
      if (this.#text[this.#at] === '}') break;
      if (this.#at >= this.#text.length) throw this.#unclosed(start, '}');
      const keys = this.#keys();
      if (this.#text[this.#at] !== '=') throw this.#unclosed(start, '}');
      this.#at += 1;
      this.#skip(spaces);
      this.#put(table, keys, this.#value());
      this.#skip(blank);
      if (this.#text[this.#at] === ',') this.#at += 1;
      else if (this.#text[this.#at] !== '}') throw this.#unclosed(start, '}');
    }
    this.#at += 1;
    table.span = { start, end: this.#at };
    return table;
  }

  #unclosed(start: number, bracket: string): Stop {
    return new Stop(`Separate values by commas, and close with ${bracket}.`, { start, end: this.#lineEnd(start) });
  }

  #scalar(raw: string, span: Span): unknown {
    // Most of a file, without asking for each.
    if (/^"[^"\\\x00-\x1f\x7f]*"$/.test(raw)) return raw.slice(1, -1);
    if (/^(?:0|[1-9]\d{0,14})$/.test(raw)) return Number(raw);
    try {
      return parse(`value = ${raw}`)['value'];
    } catch (error) {
      const unquoted = /^[A-Za-z]/.test(raw) ? ' A text needs quotes.' : '';
      throw new Stop(`${reasonOf(error)}${unquoted}`, span);
    }
  }

  /** What matches here, passed; null when nothing does. */
  #skip(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined) return null;
    this.#at += found.length;
    return found;
  }

  #lineEnd(offset: number): number {
    const end = this.#text.indexOf('\n', offset);
    const line = this.#text.slice(offset, end < 0 ? this.#text.length : end);
    return offset + line.trimEnd().length;
  }

  #restOfLine(): Span {
    return { start: this.#at, end: Math.max(this.#lineEnd(this.#at), this.#at) };
  }

  #resumeAfter(start: number): void {
    const next = this.#text.indexOf('\n', start);
    statementLine.lastIndex = next < 0 ? this.#text.length : next + 1;
    this.#at = next < 0 ? this.#text.length : (statementLine.exec(this.#text)?.index ?? this.#text.length);
  }
}

function childOf(table: TableNode, key: string, keySpan: Span, make: () => Tree): Member {
  const known = table.members.find(member => member.key === key);
  if (known !== undefined) return known;
  const member = { key, keySpan, node: make() };
  table.members.push(member);
  return member;
}
