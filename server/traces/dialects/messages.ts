import { noUsage, type Usage } from '../../../protocol/usage.ts';
import { arrayAt, countAt, isObject, type JsonObject, objectAt, parseJson, stringAt } from '../json.ts';
import { inPieces } from '../redaction/splitTexts.ts';
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

/** Anthropic Messages API. */
export const messages: DialectReader = {
  id: 'messages',
  listField: 'messages',
  // Anthropic's own, gateways', and Google's, which names the model in the path.
  matches: path => /\/(?:v1|anthropic)\/messages$|\/anthropic\/models\/[^/]+:(?:streamR|r)awPredict$/.test(path),
  model: (path, request) => stringAt(request, 'model') ?? /\/models\/([^/:]+):/.exec(path)?.[1] ?? null,
  reply: () => new MessagesReply(),
  asked: request => {
    const system = textOf(withoutBilling(isObject(request) ? request['system'] : undefined));
    const turns = arrayAt(request, 'messages').flatMap(message => {
      const kind = roleKinds[stringAt(message, 'role') ?? ''] ?? 'user';
      return toUtterances(kind, isObject(message) ? message['content'] : undefined);
    });
    return system === '' ? turns : [utterance('system', system), ...turns];
  },
  answered: reply => toUtterances('assistant', arrayAt(reply, 'content')),
};

/** Claude Code begins with a line that names the request to Anthropic, which does not give it to the model. */
export function withoutBilling(system: unknown): unknown {
  if (!Array.isArray(system)) return system;
  return system.filter(block => !stringAt(block, 'text')?.startsWith('x-anthropic-billing-header:'));
}

/** In the middle of a conversation the program itself may speak, too. */
const roleKinds: Readonly<Record<string, Utterance['kind']>> = { assistant: 'assistant', system: 'system' };

function toUtterances(kind: Utterance['kind'], content: unknown): Utterance[] {
  if (!Array.isArray(content)) return [utterance(kind, textOf(content))];
  return content.flatMap((block: unknown): Utterance[] => {
    const fields = isObject(block) ? block : {};
    switch (fields['type']) {
      case 'thinking':
        return [utterance('reasoning', stringAt(block, 'thinking') ?? '')];
      case 'tool_use':
      case 'server_tool_use':
      case 'mcp_tool_use': {
        const server = stringAt(block, 'server_name');
        const toolName = `${server === null ? '' : `${server}.`}${stringAt(block, 'name') ?? ''}`;
        const tool = { toolName, callId: stringAt(block, 'id') };
        return [utterance('toolCall', JSON.stringify(fields['input'] ?? {}), tool)];
      }
      case 'tool_result':
      case 'mcp_tool_result':
        return [utterance('toolOutput', textOf(fields['content']), { callId: stringAt(block, 'tool_use_id') })];
      case 'redacted_thinking':
        return [];
      default:
        // Results of tools that run at the provider: `web_search_tool_result` and its like.
        if (!/_tool_result$/.test(stringAt(block, 'type') ?? '')) return [utterance(kind, textOf([block]))];
        return [
          utterance('toolOutput', JSON.stringify(fields['content'] ?? null), {
            callId: stringAt(block, 'tool_use_id'),
          }),
        ];
    }
  });
}

class MessagesReply implements ReplyBuilder {
  #message: JsonObject | null = null;
  #usage: JsonObject = {};
  #stopReason: string | null = null;
  #streamed = false;
  #ended = false;
  #error: string | null = null;
  readonly #blocks = new Map<number, { block: JsonObject; text: string }>();

  event(value: unknown): number {
    this.#streamed = true;
    switch (stringAt(value, 'type')) {
      case 'message_start':
        this.#message = objectAt(value, 'message');
        this.#usage = objectAt(this.#message, 'usage') ?? {};
        return 0;
      case 'content_block_start':
        this.#blocks.set(countAt(value, 'index') ?? 0, { block: objectAt(value, 'content_block') ?? {}, text: '' });
        return 0;
      case 'content_block_delta':
        return this.#delta(countAt(value, 'index') ?? 0, objectAt(value, 'delta'));
      case 'message_delta':
        this.#usage = withTotals(this.#usage, objectAt(value, 'usage') ?? {});
        this.#stopReason = stringAt(objectAt(value, 'delta'), 'stop_reason');
        return 0;
      case 'message_stop':
        this.#ended = true;
        return 0;
      case 'error':
        this.#error = errorMessageOf(value);
        return 0;
      default:
        return 0;
    }
  }

  whole(value: unknown): void {
    if (!isObject(value)) return;
    this.#message = value;
    this.#usage = objectAt(value, 'usage') ?? {};
    this.#error = errorMessageOf(value);
  }

  finish(cut: boolean): Reply {
    return {
      json: this.#streamed ? this.#assembled() : this.#message,
      id: stringAt(this.#message, 'id'),
      model: stringAt(this.#message, 'model'),
      usage: usageOf(this.#usage),
      cacheWriteTokens: countAt(this.#usage, 'cache_creation_input_tokens'),
      error: this.#error ?? (cut && !this.#ended ? cutOff : null),
    };
  }

  #delta(index: number, delta: JsonObject | null): number {
    const text = stringAt(delta, 'text') ?? stringAt(delta, 'thinking') ?? stringAt(delta, 'partial_json') ?? '';
    const entry = this.#blocks.get(index);
    if (entry === undefined) return text.length;
    const signature = stringAt(delta, 'signature');
    if (signature !== null) entry.block = { ...entry.block, signature };
    const citation = objectAt(delta, 'citation');
    if (citation !== null)
      entry.block = { ...entry.block, citations: [...arrayAt(entry.block, 'citations'), citation] };
    entry.text += text;
    return text.length;
  }

  #assembled(): unknown {
    if (this.#message === null) return this.#error === null ? null : { error: { message: this.#error } };
    const content = [...this.#blocks.values()].map(({ block, text }) => {
      if (block['type'] === 'text') return { ...withCitations(block), text };
      if (block['type'] === 'thinking') return { ...block, thinking: text };
      if (/_?tool_use$/.test(String(block['type']))) {
        return { ...block, input: text === '' ? (block['input'] ?? {}) : (parseJson(text) ?? text) };
      }
      return block;
    });
    return { ...this.#message, content: inPieces(content), stop_reason: this.#stopReason, usage: this.#usage };
  }
}

/** What is cited comes quotation by quotation. */
function withCitations(block: JsonObject): JsonObject {
  return Array.isArray(block['citations']) ? { ...block, citations: inPieces(block['citations']) } : block;
}

/** The figures of a stream's end are totals and replace those of its start; null is no figure. */
function withTotals(start: JsonObject, end: JsonObject): JsonObject {
  const figures = Object.entries(end).filter(([name, figure]) => figure !== null || start[name] === undefined);
  return { ...start, ...Object.fromEntries(figures) };
}

/** This API reports what it read from or wrote to its cache beside `input_tokens`; ours includes both. */
function usageOf(usage: JsonObject): Usage {
  const fresh = countAt(usage, 'input_tokens');
  if (fresh === null && countAt(usage, 'output_tokens') === null) return noUsage;
  const cached = countAt(usage, 'cache_read_input_tokens');
  const written = countAt(usage, 'cache_creation_input_tokens');
  return {
    inputTokens: fresh === null ? null : fresh + (cached ?? 0) + (written ?? 0),
    cachedInputTokens: cached,
    outputTokens: countAt(usage, 'output_tokens'),
    reasoningTokens: countAt(objectAt(usage, 'output_tokens_details'), 'thinking_tokens'),
  };
}
