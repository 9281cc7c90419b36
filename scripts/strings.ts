import { readFileSync } from 'node:fs';

/** Fields of a manifest that people read. The editor replaces `%key%` in them. */
const readFields = new Set([
  'title',
  'name',
  'contents',
  'description',
  'markdownDescription',
  'label',
  'contextualTitle',
  'altText',
]);

export type Strings = Readonly<Record<string, string>>;

/**
 * Takes the texts out of a part of a manifest: each becomes `%key%`, with a key that stays when others come or go.
 * @returns the part with keys, and the texts by key, as `package.nls.json` holds them
 */
export function takeOutTexts(part: unknown, path: readonly string[] = []): { part: unknown; texts: Strings } {
  const texts: Record<string, string> = {};
  const walk = (value: unknown, at: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((entry, index) => walk(entry, [...at, nameOf(entry, index)]));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, child]: [string, unknown]) => {
      if (typeof child !== 'string' || !readFields.has(key)) return [key, walk(child, [...at, key])];
      const textKey = [...at, key].join('.');
      texts[textKey] = child;
      return [key, `%${textKey}%`];
    });
    return Object.fromEntries(entries);
  };
  return { part: walk(part, path), texts };
}

/** An entry of a list by what names it, and not by its place, where something does. */
function nameOf(entry: unknown, index: number): string {
  const { command, id, view } = (entry ?? {}) as { command?: string; id?: string; view?: string };
  return command ?? id ?? (view === undefined ? String(index) : `${view}.${index}`);
}

/** A literal as it stands in the source: quoted, on one or several lines, never with `${`. */
const call = /\bl10n\.t\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\$]|\\.)*)`)\s*[,)]/g;

/**
 * The texts that a source file shows through `l10n.t` of the editor or of its pages, as the key and the English text of a bundle.
 * @throws Error for a text that is put together at run time: no translation could be found for it
 */
export function textsOf(file: string): Strings {
  const source = readFileSync(file, 'utf8');
  const found = [...source.matchAll(call)].map(match =>
    (match[1] ?? match[2] ?? match[3] ?? '').replaceAll(/\\(.)/g, '$1'),
  );
  const calls = source.match(/\bl10n\.t\(/g)?.length ?? 0;
  if (calls !== found.length) throw new Error(`${file}: ${calls - found.length} of ${calls} texts are no literals.`);
  return Object.fromEntries(found.map(text => [text, text]));
}
