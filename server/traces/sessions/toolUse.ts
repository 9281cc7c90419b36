import type { ConversationItem } from '../../../protocol/sessions.ts';
import { isObject, parseJson, stringAt } from '../json.ts';

/** Lines by which `apply_patch` names the files of a patch, also within a shell command that calls it. */
const patchLine = /^\s*\*\*\* (?:Add File|Update File|Delete File|Move to): (.+?)\s*$/gm;

/** Tools that change the one file they name, as Claude Code, Gemini, Qwen and opencode call them. */
const editingTool = /^(edit|multiedit|write|notebookedit|replace|write_file|edit_file|str_replace_based_edit_tool)$/i;
const pathFields = ['file_path', 'filePath', 'notebook_path', 'path'];
/** Commands of an editing tool that change nothing. */
const looksOnly = new Set(['view', 'undo_edit']);

/** Paths that a tool call changes, as the call names them. */
export function filesEditedBy({ toolName, text }: Pick<ConversationItem, 'toolName' | 'text'>): string[] {
  const input = parseJson(text);
  const name = toolName?.split('.').at(-1) ?? '';
  if (editingTool.test(name) && !looksOnly.has(stringAt(input, 'command') ?? '')) {
    const path = pathFields.map(field => stringAt(input, field)).find(found => found !== null);
    return path === undefined || path === null ? [] : [path];
  }
  return stringsIn(input ?? text).flatMap(part =>
    part.includes('*** Begin Patch') ? [...part.matchAll(patchLine)].map(match => match[1] ?? '') : [],
  );
}

/** Strings anywhere in a call's arguments: a patch may be its input, an argument, or part of a shell command. */
function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(stringsIn);
  return isObject(value) ? Object.values(value).flatMap(stringsIn) : [];
}

const exitCode = /(?:^|\n)(?:Process exited with code|Exit code:?|exit status:?)\s*(-?\d+)/i;
const failureWords =
  /^\s*(?:error\b|<tool_use_error>|failed to |\w+ verification failed|unsupported call|tool call (?:error|failed)|command failed)/i;
/** What follows is the tool's own output, in which an error is nobody's failure. */
const headLength = 400;

/** Whether a tool's output says that the call failed: a non-zero exit code, or words of failure at its beginning. */
export function reportsFailure(output: string): boolean {
  const head = output.slice(0, headLength);
  const code = exitCode.exec(head)?.[1];
  if (code !== undefined) return Number(code) !== 0;
  const parsed = head.startsWith('{') ? parseJson(output) : undefined;
  // As Gemini's own tools answer.
  if (isObject(parsed) && Object.keys(parsed).join() === 'error') return true;
  const metadata = isObject(parsed) && isObject(parsed['metadata']) ? parsed['metadata'] : parsed;
  const field = isObject(metadata) ? metadata['exit_code'] : undefined;
  return typeof field === 'number' ? field !== 0 : failureWords.test(head);
}
