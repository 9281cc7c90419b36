import { basename } from 'node:path';
import { codex } from './codex.ts';

/** What recording a person's own agent needs to know of it; running it in trials takes an `Agent`. */
export interface RecordedAgent {
  /** Also the name of its program. */
  readonly id: string;
  readonly title: string;
  /** Where its requests go unless it is told otherwise, first; the agent's other hosts after it. */
  readonly apiHosts: readonly [string, ...string[]];
  /** npm packages under which `npx` starts it. */
  readonly packages: readonly string[];
  /** Keys of `.env` that it reads, as the variable that it takes them from. */
  readonly keys: Readonly<Record<string, string>>;
  /** Files below HOME that hold a login; `field` names what must be in a file that exists without one too. */
  readonly logins: readonly { readonly file: string; readonly field?: string; readonly directoryVariable?: string }[];
}

const openAiKey = { OPENAI_API_KEY: 'OPENAI_API_KEY' };
const everyKey = { ...openAiKey, ANTHROPIC_API_KEY: 'ANTHROPIC_API_KEY', GEMINI_API_KEY: 'GEMINI_API_KEY' };

/** Agents that `codex-coach trace` knows. Another one is recorded all the same, as one that talks to OpenAI. */
export const recordedAgents: readonly RecordedAgent[] = [
  {
    id: 'codex',
    title: codex.title,
    apiHosts: ['api.openai.com', 'chatgpt.com'],
    packages: ['@openai/codex'],
    // `codex exec` ignores OPENAI_API_KEY.
    keys: { OPENAI_API_KEY: 'CODEX_API_KEY', CODEX_API_KEY: 'CODEX_API_KEY' },
    logins: [{ file: '.codex/auth.json', directoryVariable: 'CODEX_HOME' }],
  },
  {
    id: 'claude',
    title: 'Claude Code',
    apiHosts: ['api.anthropic.com'],
    packages: ['@anthropic-ai/claude-code'],
    keys: { ANTHROPIC_API_KEY: 'ANTHROPIC_API_KEY' },
    logins: [
      { file: '.claude/.credentials.json', directoryVariable: 'CLAUDE_CONFIG_DIR' },
      { file: '.claude.json', field: 'oauthAccount' },
    ],
  },
  {
    id: 'gemini',
    title: 'Gemini CLI',
    apiHosts: ['generativelanguage.googleapis.com', 'cloudcode-pa.googleapis.com'],
    packages: ['@google/gemini-cli'],
    keys: { GEMINI_API_KEY: 'GEMINI_API_KEY' },
    logins: [{ file: '.gemini/oauth_creds.json' }],
  },
  {
    id: 'opencode',
    title: 'opencode',
    apiHosts: ['api.openai.com', 'api.anthropic.com', 'openrouter.ai'],
    packages: ['opencode-ai'],
    keys: everyKey,
    logins: [{ file: '.local/share/opencode/auth.json' }],
  },
  {
    id: 'qwen',
    title: 'Qwen Code',
    apiHosts: ['dashscope.aliyuncs.com', 'api.openai.com'],
    packages: ['@qwen-code/qwen-code'],
    keys: openAiKey,
    logins: [{ file: '.qwen/oauth_creds.json' }],
  },
  {
    id: 'copilot',
    title: 'GitHub Copilot CLI',
    apiHosts: ['api.githubcopilot.com'],
    packages: ['@github/copilot'],
    keys: {},
    logins: [],
  },
  {
    id: 'pi',
    title: 'pi',
    apiHosts: ['api.openai.com', 'api.anthropic.com'],
    packages: ['@mariozechner/pi-coding-agent'],
    keys: everyKey,
    logins: [{ file: '.pi/agent/auth.json' }],
  },
  {
    id: 'cline',
    title: 'Cline',
    apiHosts: ['api.anthropic.com', 'api.openai.com'],
    packages: ['cline'],
    keys: everyKey,
    logins: [],
  },
];

/** @throws Error for an id that is not in the table: an error of the program */
export function findRecorded(id: string): RecordedAgent {
  const agent = recordedAgents.find(candidate => candidate.id === id);
  if (agent === undefined) throw new Error(`No recorded agent ${id}.`);
  return agent;
}

/**
 * The agent that a command line starts: by its program, by the package that `npx` and the like are told to run, or by
 * the script that an interpreter is given. Null when it is none that we know.
 */
export function agentOfCommand(argv: readonly string[]): RecordedAgent | null {
  const [program, ...rest] = argv;
  if (program === undefined) return null;
  const name = programName(program);
  const direct = recordedAgents.find(agent => agent.id === name);
  if (direct !== undefined || !launchers.has(name)) return direct ?? null;
  const started = rest.find(argument => !argument.startsWith('-') && !launcherWords.has(argument)) ?? '';
  const bare = started.replace(/(?<=.)@[^/@]*$/, '');
  return (
    recordedAgents.find(
      agent =>
        agent.id === programName(started) ||
        agent.packages.some(name => name === bare || started.includes(`node_modules/${name}/`)),
    ) ?? null
  );
}

const launchers: ReadonlySet<string> = new Set(['npx', 'npm', 'pnpm', 'pnpx', 'bunx', 'bun', 'yarn', 'node', 'deno']);
const launcherWords: ReadonlySet<string> = new Set(['exec', 'dlx', 'run', 'x']);

function programName(path: string): string {
  return basename(path.replaceAll('\\', '/')).replace(/\.(exe|cmd|c?js|mjs)$/, '');
}
