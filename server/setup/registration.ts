import { join } from 'node:path';
import * as z from 'zod';
import { codexHome } from '../base/codexHome.ts';
import { userHome } from '../base/userHome.ts';
import { addToJson, jsonAt, parseJson, removeFromJson } from './jsonEntry.ts';
import type { McpCommand } from './mcpCommand.ts';
import { addToToml, parseToml, readFromToml, removeFromToml } from './tomlEntry.ts';

/** Name of our MCP server in every agent's configuration. */
export const serverName = 'codex_coach';

/** A program whose configuration can name our MCP server. Text in, text out: effects are the caller's. */
export interface Registration {
  readonly id: string;
  readonly title: string;
  /** Its program on PATH; null for what has none of its own. */
  readonly program: string | null;
  /** Its configuration file, and what else shows that it is used on this machine. */
  place(
    env: NodeJS.ProcessEnv,
    platform: NodeJS.Platform,
  ): { readonly file: string; readonly signs: readonly string[] };
  /** The text with our entry, which is not in it yet. @throws CoachError `input.invalid` when it can't be read */
  add(text: string, command: McpCommand): string;
  /** Our entry as it stands in the text; null when there is none. */
  read(text: string): McpCommand | null;
  /** The text without our entry, and without the group that held nothing else. Unchanged when there is none. */
  remove(text: string): string;
  /**
   * What the text says besides our entry; a group that holds nothing else counts as none.
   * @throws CoachError `input.invalid` when it can't be read
   */
  besides(text: string): Readonly<Record<string, unknown>>;
}

function jsonRegistration(
  spec: Pick<Registration, 'id' | 'title' | 'program' | 'place'> & {
    /** Under which key the MCP servers stand. */
    readonly group: string;
    readonly entry: (command: McpCommand) => object;
  },
): Registration {
  const { group, entry, ...rest } = spec;
  const path = [group, serverName];
  return {
    ...rest,
    add: (text, command) => addToJson(text, path, entry(command)),
    read: text => toMcpCommand(jsonAt(text, path)?.value),
    remove: text => removeFromJson(text, path),
    besides: text => withoutOurs(parseJson(text), group),
  };
}

const stdio = ({ command, args, env }: McpCommand) => ({ command, args, env });

export const registrations: readonly Registration[] = [
  {
    id: 'codex',
    title: 'Codex CLI',
    program: 'codex',
    place: env => {
      const directory = codexHome(env);
      return { file: join(directory, 'config.toml'), signs: [directory] };
    },
    add: (text, command) => addToToml(text, serverName, command),
    read: text => toMcpCommand(readFromToml(text, serverName)),
    remove: text => removeFromToml(text, serverName),
    besides: text => withoutOurs(parseToml(text), 'mcp_servers'),
  },
  jsonRegistration({
    id: 'claude',
    title: 'Claude Code',
    program: 'claude',
    place: env => {
      const moved = env['CLAUDE_CONFIG_DIR'];
      const file = join(moved || userHome(env), '.claude.json');
      return { file, signs: [file, moved || join(userHome(env), '.claude')] };
    },
    group: 'mcpServers',
    entry: command => ({ type: 'stdio', ...stdio(command) }),
  }),
  jsonRegistration({
    id: 'gemini',
    title: 'Gemini CLI',
    program: 'gemini',
    place: env => {
      const directory = join(env['GEMINI_CLI_HOME'] || userHome(env), '.gemini');
      return { file: join(directory, 'settings.json'), signs: [directory] };
    },
    group: 'mcpServers',
    entry: stdio,
  }),
  jsonRegistration({
    id: 'qwen',
    title: 'Qwen Code',
    program: 'qwen',
    place: env => {
      const directory = join(userHome(env), '.qwen');
      return { file: join(directory, 'settings.json'), signs: [directory] };
    },
    group: 'mcpServers',
    entry: stdio,
  }),
  jsonRegistration({
    id: 'opencode',
    title: 'opencode',
    program: 'opencode',
    place: env => {
      const directory = join(env['XDG_CONFIG_HOME'] || join(userHome(env), '.config'), 'opencode');
      return { file: env['OPENCODE_CONFIG'] || join(directory, 'opencode.json'), signs: [directory] };
    },
    group: 'mcp',
    entry: ({ command, args, env }) => ({
      type: 'local',
      command: [command, ...args],
      environment: env,
      enabled: true,
    }),
  }),
  jsonRegistration({
    id: 'vscode',
    title: 'VS Code',
    program: null,
    place: (env, platform) => {
      const directory = join(codeDirectory(env, platform), 'User');
      return { file: join(directory, 'mcp.json'), signs: [directory] };
    },
    group: 'servers',
    entry: command => ({ type: 'stdio', ...stdio(command) }),
  }),
];

/** An entry in any of the shapes above; opencode has the program and its arguments in one list. */
const Entry = z.object({
  command: z.union([z.string(), z.array(z.string()).min(1)]),
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
});

function toMcpCommand(value: unknown): McpCommand | null {
  if (value === undefined) return null;
  const parsed = Entry.safeParse(value);
  // Something stands there under our name, whatever it is.
  if (!parsed.success) return { command: '', args: [], env: {} };
  const { command, args, env, environment } = parsed.data;
  const [program = '', ...rest] = typeof command === 'string' ? [command, ...args] : command;
  return { command: program, args: rest, env: env ?? environment ?? {} };
}

function withoutOurs(said: Readonly<Record<string, unknown>>, group: string): Record<string, unknown> {
  const { [group]: servers, ...rest } = said;
  if (typeof servers !== 'object' || servers === null) return { ...said };
  const { [serverName]: _ours, ...others } = servers as Record<string, unknown>;
  return Object.keys(others).length === 0 ? rest : { ...rest, [group]: others };
}

function codeDirectory(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === 'darwin') return join(userHome(env), 'Library', 'Application Support', 'Code');
  if (platform === 'win32') return join(env['APPDATA'] || join(userHome(env), 'AppData', 'Roaming'), 'Code');
  return join(env['XDG_CONFIG_HOME'] || join(userHome(env), '.config'), 'Code');
}
