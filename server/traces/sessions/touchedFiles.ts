import type { ConversationItem, TouchedFile } from '../../../protocol/sessions.ts';
import { arrayAt, isObject, type JsonObject, parseJson, stringAt } from '../json.ts';
import { readableInput } from './readableInput.ts';
import { filesEditedBy } from './toolUse.ts';

/** Tools that show a file, as Claude Code, Gemini, Qwen and opencode call them. */
const readingTool = /^(read|read_file|readfile|view|notebookread|str_replace_based_edit_tool)$/i;
const pathFields = ['file_path', 'filePath', 'absolute_path', 'notebook_path', 'path'];
/** What an editing tool puts in the place of something else. */
const writtenFields = ['new_string', 'newString', 'new_str', 'content', 'file_text', 'new_source'];
/** `sed -n '20,88p' file`, `cat file`, `nl -ba file`, `head -n 20 file`, each where a command begins. */
const shellRead =
  /(?:^|[;&|(\n]|\s-l?c\s+["']?)\s*(?:sed\s+-n\s+["']?(\d+)(?:,\d+)?p["']?|(?:cat|nl|head|tail)(?:\s+-{1,2}[\w=]+(?:\s+\d+)?)*)\s+["']?(?!-)([\w./@+-]*\w)["']?(?=$|[\s;&|)"'])/g;
/** Only the beginning of a text decides; an agent can write a whole file into a command. */
const lookedAt = 20_000;

/** Files that a tool call reads or edits, each once, with the place where the call tells it. */
export function touchedFiles(call: Pick<ConversationItem, 'toolName' | 'text'>): TouchedFile[] {
  const edited = filesEditedBy(call);
  const files = edited.length > 0 ? edited.map(path => editedFile(path, call)) : readFiles(call);
  const seen = new Set<string>();
  return files.filter(({ path }) => !seen.has(path) && seen.add(path));
}

function editedFile(path: string, { text }: Pick<ConversationItem, 'text'>): TouchedFile {
  const input = parseJson(text);
  const written =
    writtenIn(input) ??
    arrayAt(input, 'edits')
      .map(writtenIn)
      .find(found => found !== null) ??
    writtenInPatch(path, text);
  return { path, change: 'edited', line: null, text: written };
}

function writtenIn(input: unknown): string | null {
  const texts = writtenFields.flatMap(field => stringAt(input, field) ?? []);
  return firstLine(texts[0]?.split('\n') ?? []);
}

/** The first line that a patch adds to the file; where it adds none, the first that it leaves. */
function writtenInPatch(path: string, text: string): string | null {
  const lines = readableInput(text).split('\n');
  const start = lines.findIndex(line => line.startsWith('*** ') && line.trimEnd().endsWith(` ${path}`));
  if (start < 0) return null;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex(line => line.startsWith('*** ') && !line.startsWith('*** Move to'));
  const own = end < 0 ? rest : rest.slice(0, end);
  const marked = (sign: string) => own.filter(line => line.startsWith(sign)).map(line => line.slice(1));
  return firstLine(marked('+')) ?? firstLine(marked(' '));
}

/** The first line with something to find in it: a brace stands everywhere. */
function firstLine(lines: readonly string[]): string | null {
  return (
    lines
      .find(line => /\w{2}/.test(line))
      ?.trim()
      .slice(0, 500) ?? null
  );
}

function readFiles({ toolName, text }: Pick<ConversationItem, 'toolName' | 'text'>): TouchedFile[] {
  const input = parseJson(text);
  const name = toolName?.split('.').at(-1) ?? '';
  if (readingTool.test(name) && isObject(input)) {
    const field = pathFields.find(candidate => stringAt(input, candidate) !== null);
    if (field === undefined) return [];
    return [{ path: stringAt(input, field) ?? '', change: 'read', line: lineOf(input, field), text: null }];
  }
  const command = readableInput(text).slice(0, lookedAt);
  return [...command.matchAll(shellRead)].map(([, line, path = '']) => ({
    path,
    change: 'read',
    line: line === undefined ? null : Math.max(1, Number(line)),
    text: null,
  }));
}

/** Claude Code counts lines from 1, the others from 0. */
function lineOf(input: JsonObject, pathField: string): number | null {
  const [first] = arrayAt(input, 'view_range');
  const given = first ?? input['start_line'] ?? input['offset'];
  if (typeof given !== 'number' || !Number.isInteger(given) || given < 0) return null;
  const isFromZero = given === input['offset'] && pathField !== 'file_path';
  return Math.max(1, isFromZero ? given + 1 : given);
}
