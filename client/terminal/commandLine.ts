/** Programs that are coding agents, and the npm packages that npx starts them from. */
const agents = new Map([
  ['codex', 'codex'],
  ['claude', 'claude'],
  ['gemini', 'gemini'],
  ['opencode', 'opencode'],
  ['qwen', 'qwen'],
  ['@openai/codex', 'codex'],
  ['@anthropic-ai/claude-code', 'claude'],
  ['@google/gemini-cli', 'gemini'],
  ['opencode-ai', 'opencode'],
  ['@qwen-code/qwen-code', 'qwen'],
]);

/** Words before a program that leave it the program. */
const passing = new Set(['command', 'exec', 'time', 'nohup', 'npx', 'bunx', 'env']);

/**
 * The agent that a command line starts, by its id in recorded sessions, or null. Only the first program is looked at:
 * `codex exec x`, `FOO=1 npx -y @openai/codex@latest`, `~/bin/claude -p x`.
 */
export function agentOf(commandLine: string): string | null {
  for (const word of commandLine.trim().split(/\s+/)) {
    const isAssignment = /^\w+=/.test(word);
    if (isAssignment || word.startsWith('-') || passing.has(word)) continue;
    const plain = word.replaceAll(/^["']|["']$/g, '').replace(/(?<=.)@[^/]*$/, '');
    return agents.get(plain) ?? agents.get(programOf(plain)) ?? null;
  }
  return null;
}

/**
 * Whether a command line starts Codex with its background server. Commands that ask no model count as well: they are
 * rare, and what they are called changes.
 */
export function sharesCodex(commandLine: string): boolean {
  return (
    agentOf(commandLine) === 'codex' &&
    !/\s(?:exec|e|login|logout|mcp|--no-daemon|--version|-V|--help|-h)(?:\s|$)/.test(commandLine)
  );
}

function programOf(path: string): string {
  const name = path.split(/[\\/]/).at(-1) ?? path;
  return name.replace(/\.(exe|cmd|ps1)$/i, '');
}
