import type { Agent, AgentEvent, AgentPackage } from './agent.ts';
import { asRecord, parseJson, textOf, toCount } from './json.ts';

/** Names of the platform packages, which npm has as versions of the one package: `@openai/codex@0.169.0-linux-x64`. */
const targets: Readonly<Record<string, string>> = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
  'win32-x64': 'x86_64-pc-windows-msvc',
  'win32-arm64': 'aarch64-pc-windows-msvc',
};

const codexPackage: AgentPackage = {
  name: '@openai/codex',
  version: '0.169.0',
  platform(os, arch) {
    const target = targets[`${os}-${arch}`];
    if (target === undefined) return null;
    return {
      spec: `@openai/codex@0.169.0-${os}-${arch}`,
      directory: `vendor/${target}`,
      program: os === 'win32' ? 'bin/codex.exe' : 'bin/codex',
    };
  },
};

export const codex: Agent = {
  id: 'codex',
  title: 'Codex CLI',
  dialect: 'responses',
  apiHosts: ['api.openai.com', 'chatgpt.com'],
  package: codexPackage,
  kind: 'program',
  defaultModel: 'gpt-5.5',
  keyName: 'OPENAI_API_KEY',
  launch: ({ program, model, baseUrl, token, instruction }) => ({
    argv: [
      ...program,
      ...['exec', '--json', '--ephemeral', '--skip-git-repo-check', '--ignore-user-config'],
      // Its own sandbox can't start inside ours, and ours is the stronger one.
      '--dangerously-bypass-approvals-and-sandbox',
      ...['-m', model ?? 'gpt-5.5'],
      // A provider of our own: plain HTTP with SSE, no WebSocket, no compression, no list of models.
      ...['-c', 'model_provider="coach"'],
      ...[
        '-c',
        `model_providers.coach={name="coach",base_url=${JSON.stringify(baseUrl)},env_key="COACH_TOKEN",request_max_retries=2,stream_max_retries=2}`,
      ],
      // Without these it waits up to nine seconds at its end for hosts that it can't reach.
      ...['-c', 'otel.metrics_exporter="none"', '-c', 'analytics.enabled=false', '--disable', 'plugins'],
      // The provider would search for it: no sandbox of ours could hold that back, and the solution may be found.
      ...['-c', 'web_search="disabled"'],
      '-',
    ],
    env: { COACH_TOKEN: token },
    stdin: instruction,
  }),
  parseLine: line => {
    const event = parseCodexLine(line);
    return event === null ? [] : [event];
  },
};

/** One line of `codex exec --json` (codex-rs/exec/src/exec_events.rs, 0.169.0). Unknown lines say nothing. */
export function parseCodexLine(line: string): AgentEvent | null {
  const event = asRecord(parseJson(line));
  switch (event['type']) {
    case 'item.started':
      return itemEvent(asRecord(event['item']), false);
    case 'item.completed':
      return itemEvent(asRecord(event['item']), true);
    case 'turn.completed': {
      const usage = asRecord(event['usage']);
      return {
        kind: 'usage',
        text: 'Turn completed.',
        usage: {
          inputTokens: toCount(usage['input_tokens']),
          cachedInputTokens: toCount(usage['cached_input_tokens']),
          outputTokens: toCount(usage['output_tokens']),
          reasoningTokens: toCount(usage['reasoning_output_tokens']),
        },
      };
    }
    case 'turn.failed':
      return { kind: 'error', text: textOf(asRecord(event['error'])['message']) };
    case 'error':
      return { kind: 'error', text: textOf(event['message']) };
    default:
      return null;
  }
}

/** Commands and tool calls are told when they start, what has no start when it is complete. */
function itemEvent(item: Record<string, unknown>, completed: boolean): AgentEvent | null {
  const told = (kind: AgentEvent['kind'], text: string, when: boolean): AgentEvent | null =>
    when && text !== '' ? { kind, text } : null;
  switch (item['type']) {
    case 'agent_message':
      return told('message', textOf(item['text']), completed);
    case 'reasoning':
      return told('reasoning', textOf(item['text']), completed);
    case 'command_execution':
      return told('command', textOf(item['command']), !completed);
    case 'file_change':
      return told('edit', changedPaths(item['changes']), completed);
    case 'mcp_tool_call':
      return told('tool', `${textOf(item['server'])}.${textOf(item['tool'])}`, !completed);
    case 'web_search':
      return told('tool', `web search: ${textOf(item['query'])}`, completed);
    case 'error':
      // A warning, such as about unknown model metadata; what stops it comes as `error` or `turn.failed`.
      return told('message', textOf(item['message']), completed);
    default:
      return null;
  }
}

function changedPaths(changes: unknown): string {
  if (!Array.isArray(changes)) return '';
  return changes
    .map(asRecord)
    .map(change => `${textOf(change['kind'])} ${textOf(change['path'])}`)
    .join(', ');
}
