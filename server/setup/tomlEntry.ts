import { parse, stringify } from 'smol-toml';
import { CoachError } from '../../protocol/errors.ts';
import type { McpCommand } from './mcpCommand.ts';

/** Tools that only record: `codex exec` has no one to ask. What writes files or spends money keeps Codex's question. */
const approvedTools = ['repo_start_task', 'repo_end_task'];

/**
 * A Codex configuration with our MCP server as its last table; every byte of it stays.
 * @throws CoachError `input.invalid` when it is no TOML, or has its servers in one inline table
 */
export function addToToml(text: string, name: string, { command, args, env }: McpCommand): string {
  parseToml(text);
  const tools = Object.fromEntries(approvedTools.map(tool => [tool, { approval_mode: 'approve' }]));
  const table = stringify({ mcp_servers: { [name]: { command, args: [...args], env: { ...env }, tools } } });
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const gap = text === '' ? '' : text.endsWith('\n') ? eol : eol + eol;
  const added = text + gap + `${table.trim()}\n`.replaceAll('\n', eol);
  try {
    parse(added);
  } catch (cause) {
    throw new CoachError('input.invalid', '`mcp_servers` is written as one inline table, which nothing can follow', {
      cause,
      hint: 'Write its servers as tables, [mcp_servers.<name>], and run this again.',
    });
  }
  return added;
}

/** The table of one MCP server as a value; undefined when there is none or the text can't be read. */
export function readFromToml(text: string, name: string): unknown {
  try {
    const servers = parse(text)['mcp_servers'];
    return typeof servers === 'object' ? (servers as Record<string, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}

/** The text without the tables of one MCP server. Comments that stand right before the next table are that one's. */
export function removeFromToml(text: string, name: string): string {
  const ours = new RegExp(`^\\s*\\[\\s*mcp_servers\\.(?:${name}|"${name}")\\s*[.\\]]`);
  const lines = text.split(/(?<=\n)/);
  const kept: string[] = [];
  let removing = false;
  /** Lines after the last one of ours that says something. */
  let trailing: string[] = [];
  for (const line of lines) {
    if (/^\s*\[/.test(line)) {
      if (ours.test(line)) {
        // The empty lines that stood before our table came with it.
        while (kept.at(-1)?.trim() === '') kept.pop();
        removing = true;
      } else if (removing) {
        kept.push(...trailing);
        removing = false;
      }
      trailing = [];
    }
    if (!removing) kept.push(line);
    else if (/^\s*(#|$)/.test(line)) trailing.push(line);
    else trailing = [];
  }
  if (trailing.some(line => line.trim() !== '')) kept.push(...trailing);
  return kept.join('');
}

/** What a TOML text says. @throws CoachError `input.invalid` when it is none */
export function parseToml(text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (cause) {
    throw new CoachError('input.invalid', (cause as Error).message.split('\n')[0] ?? 'it is no TOML', { cause });
  }
}
