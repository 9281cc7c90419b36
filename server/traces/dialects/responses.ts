import { noUsage, type Usage } from '../../../protocol/usage.ts';
import { arrayAt, countAt, isObject, type JsonObject, objectAt, stringAt } from '../json.ts';
import {
  cutOff,
  type DialectReader,
  errorMessageOf,
  type Reply,
  type ReplyBuilder,
  textOf,
  type Utterance,
  utterance,
} from './dialect.ts';

/** OpenAI Responses API, over SSE, as whole JSON and as WebSocket messages. */
export const responses: DialectReader = {
  id: 'responses',
  listField: 'input',
  matches: path => /\/responses(?:\/compact)?$/.test(path),
  model: (_path, request) => stringAt(request, 'model'),
  reply: () => new ResponsesReply(),
  endings: new Set(['response.completed', 'response.failed', 'response.incomplete', 'error']),
  // The reply and its items come whole, the reply with all that was asked three times.
  inPieces: event => (isObject(event) ? { ...event, response: null, item: null } : event),
  asked: request => {
    const instructions = stringAt(request, 'instructions');
    const input = isObject(request) ? request['input'] : undefined;
    return [
      ...(instructions ? [utterance('system', instructions)] : []),
      ...(typeof input === 'string' ? [utterance('user', input)] : arrayAt(request, 'input').flatMap(toUtterance)),
    ];
  },
  answered: reply => arrayAt(reply, 'output').flatMap(toUtterance),
};

function toUtterance(item: unknown): Utterance[] {
  const type = stringAt(item, 'type') ?? 'message';
  const callId = stringAt(item, 'call_id');
  const content = isObject(item) ? item : {};
  switch (type) {
    case 'message':
      return [utterance(roleKinds[stringAt(item, 'role') ?? ''] ?? 'other', textOf(content['content']))];
    case 'reasoning': {
      const text = textOf(content['summary']) || textOf(content['content']);
      return text === '' ? [] : [utterance('reasoning', text)];
    }
    case 'function_call':
    case 'custom_tool_call': {
      const space = stringAt(item, 'namespace');
      const toolName = `${space === null ? '' : `${space}.`}${stringAt(item, 'name') ?? ''}`;
      return [
        utterance('toolCall', stringAt(item, 'arguments') ?? stringAt(item, 'input') ?? '', { toolName, callId }),
      ];
    }
    default:
      if (type.endsWith('_call_output')) return [utterance('toolOutput', outputText(content['output']), { callId })];
      if (type.endsWith('_call')) {
        if (type === 'mcp_call') return mcpCall(content);
        return [utterance('toolCall', givenTo(content), { toolName: type.slice(0, -5), callId })];
      }
      return [];
  }
}

/** What a tool of the API was told to do. Each kind has a member of its own for it, besides what came of it. */
function givenTo({ action, operation, arguments: given, code, queries, actions }: JsonObject): string {
  const told = action ?? operation ?? given ?? { code, queries, actions };
  return typeof told === 'string' ? told : JSON.stringify(told);
}

/** A call that the provider made itself: request and result in one item. */
function mcpCall(item: JsonObject): Utterance[] {
  const callId = stringAt(item, 'id');
  const toolName = `${stringAt(item, 'server_label') ?? 'mcp'}.${stringAt(item, 'name') ?? ''}`;
  const call = utterance('toolCall', stringAt(item, 'arguments') ?? '', { toolName, callId });
  const output = item['output'] ?? item['error'];
  return output === undefined || output === null
    ? [call]
    : [call, utterance('toolOutput', outputText(output), { callId })];
}

const roleKinds: Readonly<Record<string, Utterance['kind']>> = {
  user: 'user',
  assistant: 'assistant',
  system: 'system',
  developer: 'system',
};

function outputText(output: unknown): string {
  return typeof output === 'string' || Array.isArray(output) ? textOf(output) : JSON.stringify(output ?? null);
}

class ResponsesReply implements ReplyBuilder {
  #response: JsonObject | null = null;
  #ended = false;
  #error: string | null = null;
  readonly #done = new Map<number, unknown>();
  readonly #partial = new Map<number, PartialItem>();

  event(value: unknown): number {
    const type = stringAt(value, 'type') ?? '';
    const index = countAt(value, 'output_index') ?? this.#done.size;
    if (type.endsWith('.delta')) return this.#delta(index, stringAt(value, 'delta') ?? '');
    switch (type) {
      case 'response.output_item.added':
        this.#partial.set(index, { item: objectAt(value, 'item') ?? {}, text: '' });
        break;
      case 'response.output_item.done':
        this.#done.set(index, objectAt(value, 'item'));
        this.#partial.delete(index);
        break;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        this.#ended = true;
        this.whole(objectAt(value, 'response') ?? {});
        break;
      case 'error':
        this.#error = errorMessageOf(value) ?? stringAt(value, 'message') ?? 'The model API reported an error.';
        this.#ended = true;
        break;
      default:
        if (isObject(value)) this.#response ??= objectAt(value, 'response');
    }
    return 0;
  }

  whole(value: unknown): void {
    if (!isObject(value)) return;
    this.#response = value;
    this.#error ??= errorMessageOf(value) ?? incompleteReason(value);
  }

  finish(cut: boolean): Reply {
    const response = this.#response;
    return {
      json: this.#merged(),
      id: stringAt(response, 'id'),
      model: stringAt(response, 'model'),
      usage: usageOf(objectAt(response, 'usage')),
      cacheWriteTokens: countAt(objectAt(objectAt(response, 'usage'), 'input_tokens_details'), 'cache_write_tokens'),
      error: this.#error ?? (cut && !this.#ended ? cutOff : null),
    };
  }

  #delta(index: number, text: string): number {
    const partial = this.#partial.get(index);
    if (partial !== undefined) partial.text += text;
    return text.length;
  }

  /** Codex's backend completes with an empty output: the items came one by one before. */
  #merged(): unknown {
    const own = arrayAt(this.#response, 'output');
    if (this.#response === null && this.#done.size === 0 && this.#partial.size === 0) {
      return this.#error === null ? null : { error: { message: this.#error } };
    }
    if (own.length > 0) return this.#response;
    const items = [...this.#done].sort(([a], [b]) => a - b).map(([, item]) => item);
    const begun = this.#ended ? [] : [...this.#partial.values()].map(unfinishedItem);
    return { ...this.#response, ...(this.#ended ? {} : { status: 'incomplete' }), output: [...items, ...begun] };
  }
}

interface PartialItem {
  readonly item: JsonObject;
  text: string;
}

function unfinishedItem({ item, text }: PartialItem): JsonObject {
  switch (item['type']) {
    case 'message':
      return { ...item, status: 'incomplete', content: [{ type: 'output_text', text }] };
    case 'reasoning':
      return { ...item, summary: [{ type: 'summary_text', text }] };
    case 'function_call':
      return { ...item, status: 'incomplete', arguments: text };
    case 'custom_tool_call':
      return { ...item, status: 'incomplete', input: text };
    default:
      return item;
  }
}

function incompleteReason(response: JsonObject): string | null {
  const reason = stringAt(objectAt(response, 'incomplete_details'), 'reason');
  return reason === null ? null : `Incomplete: ${reason}`;
}

function usageOf(usage: JsonObject | null): Usage {
  if (usage === null) return noUsage;
  return {
    inputTokens: countAt(usage, 'input_tokens'),
    cachedInputTokens: countAt(objectAt(usage, 'input_tokens_details'), 'cached_tokens'),
    outputTokens: countAt(usage, 'output_tokens'),
    reasoningTokens: countAt(objectAt(usage, 'output_tokens_details'), 'reasoning_tokens'),
  };
}
