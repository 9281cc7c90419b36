/** Programs that run what stands after them, and how many words of their own may come first. */
const wrappers: ReadonlyMap<string, number> = new Map([
  ...(['sudo', 'env', 'exec', 'nohup', 'time', 'command', 'builtin', 'xargs', 'nice', 'setsid'] as const).map(
    name => [name, 0] as const,
  ),
  ['timeout', 1],
]);
const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'zsh', 'ash', 'ksh']);
/** Words after which another command begins. */
const keywords: ReadonlySet<string> = new Set(['if', 'then', 'else', 'elif', 'while', 'until', 'do', '!', '{', '(']);
const maxDepth = 4;

/** One program with its arguments, as a shell would start it. `program` is its name without a directory. */
export interface SimpleCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * The programs that a shell command starts: also in pipes, lists, substitutions and `sh -c`. Text that is only data (quoted,
 * a here-document) starts none. Not a shell: expansions stay as they are written.
 */
export function simpleCommands(text: string, depth = 0): SimpleCommand[] {
  const lists = splitWords(withoutHereDocuments(text));
  return lists.flatMap(({ words, substitutions }) => [
    ...toCommand(words, depth),
    ...(depth < maxDepth ? substitutions.flatMap(inner => simpleCommands(inner, depth + 1)) : []),
  ]);
}

function toCommand(words: readonly string[], depth: number): SimpleCommand[] {
  let rest = words;
  for (;;) {
    const [first] = rest;
    if (first === undefined) return [];
    const program = first.split('/').at(-1) ?? '';
    const ownWords = wrappers.get(program);
    if (/^\d*(?:[<>]|&>)/.test(first)) rest = rest.slice(/^\d*(?:>>?|<|&>>?)$/.test(first) ? 2 : 1);
    else if (keywords.has(first) || /^[A-Za-z_]\w*=/.test(first)) rest = rest.slice(1);
    else if (ownWords === undefined) break;
    else {
      const from = rest.findIndex((word, index) => index > 0 && !word.startsWith('-'));
      rest = from === -1 ? [] : rest.slice(from + ownWords);
    }
  }
  const [first = '', ...args] = rest;
  const program = first.split('/').at(-1) ?? '';
  const script = shells.has(program) ? args.findIndex(word => /^-[a-z]*c$/.test(word)) : -1;
  const inner = script === -1 ? undefined : args[script + 1];
  return inner === undefined || depth >= maxDepth ? [{ program, args }] : simpleCommands(inner, depth + 1);
}

/** Bodies are data; one that never ends goes to the end. */
function withoutHereDocuments(text: string): string {
  const kept: string[] = [];
  let end: string | null = null;
  for (const line of text.split('\n')) {
    if (end !== null) {
      if (line.trim() === end) end = null;
      continue;
    }
    kept.push(line);
    end = /<<-?[ \t]*(['"]?)([A-Za-z_]\w*)\1/.exec(line)?.[2] ?? null;
  }
  return kept.join('\n');
}

interface WordList {
  readonly words: string[];
  readonly substitutions: string[];
}

/** The words of each command of a list; quotes keep blanks together and are gone. */
function splitWords(text: string): WordList[] {
  const lists: WordList[] = [];
  let list: WordList = { words: [], substitutions: [] };
  let word: string | null = null;
  const endWord = () => {
    if (word !== null) list.words.push(word);
    word = null;
  };
  const endList = () => {
    endWord();
    lists.push(list);
    list = { words: [], substitutions: [] };
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    const substituted = substitutionAt(text, at);
    if (substituted !== null) {
      list.substitutions.push(substituted.inner);
      word = (word ?? '') + substituted.whole;
      at += substituted.whole.length - 1;
    } else if (char === "'" || char === '"') {
      const end = closingQuote(text, at);
      const quoted = text.slice(at + 1, end);
      if (char === '"') list.substitutions.push(...substitutionsIn(quoted));
      word = (word ?? '') + (char === '"' ? quoted.replaceAll(/\\(["\\$`])/g, '$1') : quoted);
      at = end;
    } else if (char === '\\') {
      if (text[at + 1] !== '\n') word = (word ?? '') + (text[at + 1] ?? '');
      at++;
    } else if (char === '#' && word === null) at = endOfLine(text, at) - 1;
    else if (/[;|&\n()]/.test(char) && !isRedirection(text, at)) endList();
    else if (/\s/.test(char)) endWord();
    else word = (word ?? '') + char;
  }
  endList();
  return lists;
}

/** `2>&1` and `&>file` end no command. */
function isRedirection(text: string, at: number): boolean {
  return text[at] === '&' && (/[<>]/.test(text[at - 1] ?? '') || text[at + 1] === '>');
}

/** A substitution that begins here; one that never ends goes to the end, so that nothing is looked at twice. */
function substitutionAt(text: string, at: number): { whole: string; inner: string } | null {
  if (text[at] === '`') return cut(text, at, text.indexOf('`', at + 1), 1);
  if (!text.startsWith('$(', at)) return null;
  let depth = 0;
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === '(') depth++;
    else if (text[end] === ')' && --depth === 0) return cut(text, at, end, 2);
  }
  return cut(text, at, -1, 2);
}

function cut(text: string, at: number, end: number, openLength: number): { whole: string; inner: string } {
  if (end === -1) return { whole: text.slice(at), inner: text.slice(at + openLength) };
  return { whole: text.slice(at, end + 1), inner: text.slice(at + openLength, end) };
}

function substitutionsIn(text: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const substituted = substitutionAt(text, at);
    if (substituted === null) continue;
    found.push(substituted.inner);
    at += substituted.whole.length - 1;
  }
  return found;
}

function closingQuote(text: string, at: number): number {
  const quote = text[at];
  for (let end = at + 1; end < text.length; end++) {
    if (quote === '"' && text[end] === '\\') end++;
    else if (text[end] === quote) return end;
  }
  return text.length;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}
