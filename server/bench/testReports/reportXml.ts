export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** Reports nest a few suites; what goes deeper is made to break its reader. */
const maxDepth = 256;
const tagName = /[\w:.-]+/y;
const attributeName = /\s+([\w:.-]+)\s*=\s*(["'])/y;
const tagEnd = /\s*(\/?)>/y;

/** A place in a text that only goes forward. */
class Cursor {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  skip(mark: string): boolean {
    if (!this.text.startsWith(mark, this.at)) return false;
    this.at += mark.length;
    return true;
  }

  /** What stands before a mark, which is stepped over; null when there is none. */
  upTo(mark: string): string | null {
    const end = this.text.indexOf(mark, this.at);
    if (end < 0) return null;
    const before = this.text.slice(this.at, end);
    this.at = end + mark.length;
    return before;
  }

  /** What a sticky pattern finds right here. */
  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at = pattern.lastIndex;
    return found;
  }
}

/**
 * As much XML as test reports use: elements, attributes, text, comments, CDATA. Null when it is not well-formed. An agent
 * may have written it, so nothing is looked at again: what does not close ends the reading.
 */
export function parseXml(xml: string): Element | null {
  const cursor = new Cursor(xml);
  const top: Element = { name: '', attributes: {}, children: [], text: '' };
  const open: Element[] = [top];
  for (;;) {
    const text = cursor.upTo('<');
    const current = open.at(-1) ?? top;
    if (text === null) break;
    current.text += unescapeXml(text);
    if (cursor.skip('!--')) {
      if (cursor.upTo('-->') === null) return null;
    } else if (cursor.skip('![CDATA[')) {
      const cdata = cursor.upTo(']]>');
      if (cdata === null) return null;
      current.text += cdata;
    } else if (cursor.skip('?') || cursor.skip('!')) {
      if (cursor.upTo('>') === null) return null;
    } else if (cursor.skip('/')) {
      if (open.length < 2 || cursor.match(tagName)?.[0] !== current.name || cursor.match(tagEnd) === null) return null;
      open.pop();
    } else {
      const read = readTag(cursor);
      if (read === null || open.length > maxDepth) return null;
      current.children.push(read.element);
      if (!read.isEmpty) open.push(read.element);
    }
  }
  return open.length === 1 ? (top.children[0] ?? null) : null;
}

/** The rest of a tag that opens an element. */
function readTag(cursor: Cursor): { element: Element; isEmpty: boolean } | null {
  const name = cursor.match(tagName)?.[0];
  if (name === undefined) return null;
  const attributes: Record<string, string> = {};
  for (let found = cursor.match(attributeName); found !== null; found = cursor.match(attributeName)) {
    const value = cursor.upTo(found[2] ?? '');
    if (value === null) return null;
    // Node's reporter escapes quotes twice (`&amp;quot;`).
    attributes[found[1] ?? ''] = unescapeXml(unescapeXml(value).replaceAll(/&(?!quot;)/g, '&amp;'));
  }
  const end = cursor.match(tagEnd);
  return end === null ? null : { element: { name, attributes, children: [], text: '' }, isEmpty: end[1] === '/' };
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return entities[name] ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
