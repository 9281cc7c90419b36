import type { Agent, AgentEvent } from './agent.ts';
import { asRecord, parseJson, textOf, toCount } from './json.ts';
import { scriptPackage } from './platforms.ts';
import { toolEvent } from './streamJson.ts';

const commands = new Set(['run_shell_command']);
const edits = new Set(['write_file', 'replace']);

const settings = {
  // Asked for otherwise, even with a key in the environment.
  security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: false } },
  // Both run at the provider.
  tools: { exclude: ['google_web_search', 'web_fetch'] },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
  general: { enableAutoUpdate: false },
};

export const gemini: Agent = {
  id: 'gemini',
  title: 'Gemini CLI',
  dialect: 'gemini',
  apiHosts: ['generativelanguage.googleapis.com'],
  package: scriptPackage('@google/gemini-cli', '0.61.0', 'bundle/gemini.js'),
  kind: 'program',
  defaultModel: 'gemini-2.5-pro',
  keyName: 'GEMINI_API_KEY',
  launch: ({ program, model, baseUrl, token, instruction }) => ({
    argv: [...program, '-o', 'stream-json', '--yolo', '--skip-trust', '-m', model ?? 'gemini-2.5-pro'],
    // It appends /v1beta/models/….
    env: { GOOGLE_GEMINI_BASE_URL: new URL(baseUrl).origin, GEMINI_API_KEY: token },
    stdin: instruction,
    files: { '.gemini/settings.json': JSON.stringify(settings) },
  }),
  parseLine: parseGeminiLine,
  exitCodes: {
    41: 'it could not log in',
    42: 'it did not take its input',
    44: 'its own sandbox failed',
    52: 'its configuration is not usable',
    53: 'it reached its limit of turns',
  },
};

/** One line of `gemini -o stream-json` (packages/core/src/output/types.ts, 0.61.0). */
function parseGeminiLine(line: string): readonly AgentEvent[] {
  const event = asRecord(parseJson(line));
  switch (event['type']) {
    case 'message': {
      const text = textOf(event['content']);
      return event['role'] === 'assistant' && text.trim() !== '' ? [{ kind: 'message', text }] : [];
    }
    case 'tool_use':
      return [toolEvent(textOf(event['tool_name']), asRecord(event['parameters']), { commands, edits })];
    case 'error':
      return [{ kind: event['severity'] === 'error' ? 'error' : 'message', text: textOf(event['message']) }];
    case 'result':
      return resultEvents(event);
    default:
      return [];
  }
}

function resultEvents(event: Record<string, unknown>): AgentEvent[] {
  const stats = asRecord(event['stats']);
  const failed = event['status'] !== 'success';
  const usage = {
    inputTokens: toCount(stats['input_tokens']),
    cachedInputTokens: toCount(stats['cached']),
    outputTokens: toCount(stats['output_tokens']),
    reasoningTokens: null,
  };
  return [
    ...(failed ? [{ kind: 'error', text: textOf(asRecord(event['error'])['message']) } as const] : []),
    { kind: 'usage', text: failed ? 'Ended with an error.' : 'Turn completed.', usage },
  ];
}
