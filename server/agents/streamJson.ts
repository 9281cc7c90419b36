import type { AgentEvent } from './agent.ts';
import { asRecord, parseJson, textOf, toCount } from './json.ts';

export interface StreamJsonOptions {
  /** Names of its tools that run a command, and that write a file. */
  readonly commands: ReadonlySet<string>;
  readonly edits: ReadonlySet<string>;
  /** Whether `input_tokens` leaves out what was cached, as Anthropic counts. */
  readonly cachedApart: boolean;
}

/**
 * One line of `--output-format stream-json`, as Claude Code and Qwen Code print it: `system`, `assistant`, `user` and, at
 * the end, `result`.
 */
export function streamJsonEvents(line: string, options: StreamJsonOptions): readonly AgentEvent[] {
  const event = asRecord(parseJson(line));
  switch (event['type']) {
    case 'system':
      return event['subtype'] === 'api_retry' ? [retryEvent(event)] : [];
    case 'assistant':
      return contentOf(event).flatMap(block => blockEvents(asRecord(block), options));
    case 'result':
      return resultEvents(event, options);
    default:
      return [];
  }
}

function contentOf(event: Record<string, unknown>): unknown[] {
  const content = asRecord(event['message'])['content'];
  return Array.isArray(content) ? content : [];
}

function blockEvents(block: Record<string, unknown>, options: StreamJsonOptions): AgentEvent[] {
  const told = (kind: AgentEvent['kind'], text: string): AgentEvent[] => (text.trim() === '' ? [] : [{ kind, text }]);
  switch (block['type']) {
    case 'text':
      return told('message', textOf(block['text']));
    case 'thinking':
      return told('reasoning', textOf(block['thinking']));
    case 'tool_use':
      return [toolEvent(textOf(block['name']), asRecord(block['input']), options)];
    case 'server_tool_use':
      return [{ kind: 'tool', text: `${textOf(block['name'])} at the provider: ${JSON.stringify(block['input'])}` }];
    default:
      return [];
  }
}

/** A call of one of the agent's own tools: its command, the file that it writes, or its name and what it was given. */
export function toolEvent(
  name: string,
  input: Record<string, unknown>,
  { commands, edits }: Pick<StreamJsonOptions, 'commands' | 'edits'>,
): AgentEvent {
  if (commands.has(name)) return { kind: 'command', text: textOf(input['command']) };
  if (edits.has(name)) return { kind: 'edit', text: pathOf(input) };
  return { kind: 'tool', text: `${name} ${JSON.stringify(input)}` };
}

function pathOf(input: Record<string, unknown>): string {
  const names = ['file_path', 'filePath', 'notebook_path', 'path'];
  return names.map(name => textOf(input[name])).find(path => path !== '') ?? JSON.stringify(input);
}

function retryEvent(event: Record<string, unknown>): AgentEvent {
  const why = [event['error_status'], event['error']].filter(part => part !== null && part !== undefined).join(' ');
  return { kind: 'error', text: `Attempt ${event['attempt']} of ${event['max_retries']} failed: ${why}` };
}

function resultEvents(event: Record<string, unknown>, { cachedApart }: StreamJsonOptions): AgentEvent[] {
  const usage = asRecord(event['usage']);
  const cached = toCount(usage['cache_read_input_tokens']);
  const apart = cachedApart ? (cached ?? 0) + (toCount(usage['cache_creation_input_tokens']) ?? 0) : 0;
  const input = toCount(usage['input_tokens']);
  const failed = event['is_error'] === true;
  const why = textOf(event['result']) || textOf(asRecord(event['error'])['message']) || textOf(event['subtype']);
  return [
    ...(failed ? [{ kind: 'error', text: why } as const] : []),
    {
      kind: 'usage',
      text: failed ? 'Ended with an error.' : 'Turn completed.',
      usage: {
        inputTokens: input === null ? null : input + apart,
        cachedInputTokens: cached,
        outputTokens: toCount(usage['output_tokens']),
        reasoningTokens: null,
      },
    },
  ];
}
