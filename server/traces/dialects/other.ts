import { noUsage, type Usage } from '../../../protocol/usage.ts';
import { arrayAt, countAt, isObject, type JsonObject, objectAt, stringAt } from '../json.ts';
import { SplitTexts, withTexts } from '../redaction/splitTexts.ts';
import { chat } from './chat.ts';
import { type DialectReader, errorMessageOf, type Reply, type ReplyBuilder, textOf, utterance } from './dialect.ts';

/** Events of a stream in an unknown format that are kept as they are. */
const maxEvents = 1000;

/**
 * An endpoint of a model host that no one told us about: what went over it is kept, and read as far as it looks like
 * something known (older completions, a local model's own API), so that no model call is lost in silence.
 */
export const other: DialectReader = {
  id: 'other',
  listField: 'messages',
  matches: () => true,
  model: (path, request) => stringAt(request, 'model') ?? /\/(?:models?|deployments)\/([^/:]+)/.exec(path)?.[1] ?? null,
  reply: () => new OtherReply(),
  asked: request => {
    const prompt = isObject(request) ? (request['prompt'] ?? request['input']) : undefined;
    return typeof prompt === 'string' ? [utterance('user', prompt)] : chat.asked(request);
  },
  answered: reply => {
    const events: readonly unknown[] = isObject(reply) && Array.isArray(reply['events']) ? reply['events'] : [reply];
    const messages = events.map(event => objectAt(event, 'message')).filter(message => message !== null);
    if (messages.length > 0) return chat.answered({ choices: [{ message: inOne(messages) }] });
    const text = events.map(event => stringAt(event, 'response') ?? textOfChoices(event)).join('');
    return text === '' ? chat.answered(reply) : [utterance('assistant', text)];
  },
};

function textOfChoices(value: unknown): string {
  return arrayAt(value, 'choices')
    .flatMap(choice => stringAt(choice, 'text') ?? [])
    .join('\n');
}

/** The messages of a stream as one: each has the next words, or calls. */
function inOne(messages: readonly JsonObject[]): JsonObject {
  const text = (name: string) => messages.map(message => textOf(message[name])).join('');
  return {
    ...messages[0],
    content: text('content'),
    reasoning: text('thinking') || text('reasoning'),
    tool_calls: messages.flatMap(message => arrayAt(message, 'tool_calls').map(withTextArguments)),
  };
}

function withTextArguments(call: unknown): unknown {
  const called = objectAt(call, 'function');
  const given = objectAt(called, 'arguments');
  return given === null ? call : { ...(call as JsonObject), function: { ...called, arguments: JSON.stringify(given) } };
}

class OtherReply implements ReplyBuilder {
  #events: unknown[] = [];
  #texts = new SplitTexts();
  #last: unknown = null;
  #streamed = false;

  event(value: unknown): number {
    this.#streamed = true;
    this.#last = value;
    if (this.#events.length < maxEvents) this.#events.push(value);
    this.#texts.add(value);
    return 0;
  }

  whole(value: unknown): void {
    this.#last = value;
  }

  /** How such a stream ends is not known, so none is called cut off. */
  finish(): Reply {
    const usage = [...this.#events, this.#last].map(usageIn).findLast(found => found !== null) ?? null;
    return {
      json: this.#streamed ? { events: withTexts(this.#events, this.#texts) } : this.#last,
      id: stringAt(this.#last, 'id'),
      model: stringAt(this.#last, 'model'),
      usage: usage === null ? noUsage : usageOf(usage),
      cacheWriteTokens: null,
      error: errorMessageOf(this.#last),
    };
  }
}

function usageIn(value: unknown): JsonObject | null {
  const usage = objectAt(value, 'usage') ?? objectAt(value, 'usageMetadata') ?? objectAt(value, 'meta');
  return usage ?? (isObject(value) && countAt(value, 'eval_count') !== null ? value : null);
}

function usageOf(usage: JsonObject): Usage {
  const count = (...names: string[]) => names.map(name => countAt(usage, name)).find(found => found !== null) ?? null;
  return {
    inputTokens: count('input_tokens', 'prompt_tokens', 'promptTokenCount', 'prompt_eval_count'),
    cachedInputTokens: null,
    outputTokens: count('output_tokens', 'completion_tokens', 'candidatesTokenCount', 'eval_count'),
    reasoningTokens: null,
  };
}
