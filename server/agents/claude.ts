import type { Agent } from './agent.ts';
import { nativePackage } from './platforms.ts';
import { streamJsonEvents } from './streamJson.ts';

const commands = new Set(['Bash']);
const edits = new Set(['Write', 'Edit', 'MultiEdit', 'NotebookEdit']);

export const claude: Agent = {
  id: 'claude',
  title: 'Claude Code',
  dialect: 'messages',
  apiHosts: ['api.anthropic.com'],
  package: nativePackage({
    name: '@anthropic-ai/claude-code',
    version: '2.1.197',
    prefix: '@anthropic-ai/claude-code',
    program: 'claude',
  }),
  kind: 'program',
  defaultModel: 'claude-sonnet-4-6',
  keyName: 'ANTHROPIC_API_KEY',
  launch: ({ program, model, baseUrl, token, instruction }) => ({
    argv: [
      ...program,
      ...['-p', '--output-format', 'stream-json', '--verbose', '--model', model ?? 'claude-sonnet-4-6'],
      '--dangerously-skip-permissions',
      // WebSearch runs at the provider; WebFetch asks the provider about each place first.
      ...['--disallowedTools', 'WebSearch,WebFetch', '--strict-mcp-config'],
    ],
    env: {
      // It appends /v1/messages.
      ANTHROPIC_BASE_URL: new URL(baseUrl).origin,
      ANTHROPIC_API_KEY: token,
      // No other host: no telemetry, no update, no error reports.
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      IS_SANDBOX: '1',
    },
    stdin: instruction,
  }),
  parseLine: line => streamJsonEvents(line, { commands, edits, cachedApart: true }),
};
