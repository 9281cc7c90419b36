import { noUsage, type Usage } from '../../../protocol/usage.ts';
import { arrayAt, countAt, isObject, type JsonObject, objectAt, stringAt } from '../json.ts';
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
    const message = objectAt(reply, 'message');
    if (message !== null) return chat.answered({ choices: [{ message }] });
    const said = arrayAt(reply, 'choices').flatMap(choice => stringAt(choice, 'text') ?? []);
    const text = stringAt(reply, 'response') ?? said.join('\n');
    return text === '' ? chat.answered(reply) : [utterance('assistant', textOf(text))];
  },
};

class OtherReply implements ReplyBuilder {
  #events: unknown[] = [];
  #last: unknown = null;
  #streamed = false;

  event(value: unknown): number {
    this.#streamed = true;
    this.#last = value;
    if (this.#events.length < maxEvents) this.#events.push(value);
    return 0;
  }

  whole(value: unknown): void {
    this.#last = value;
  }

  /** How such a stream ends is not known, so none is called cut off. */
  finish(): Reply {
    const usage = [...this.#events, this.#last].map(usageIn).findLast(found => found !== null) ?? null;
    return {
      json: this.#streamed ? { events: this.#events } : this.#last,
      id: stringAt(this.#last, 'id'),
      model: stringAt(this.#last, 'model'),
      usage: usage === null ? noUsage : usageOf(usage),
      cacheWriteTokens: null,
      error: errorMessageOf(this.#last),
    };
  }
}

function usageIn(value: unknown): JsonObject | null {
  return objectAt(value, 'usage') ?? objectAt(value, 'usageMetadata') ?? objectAt(value, 'meta');
}

function usageOf(usage: JsonObject): Usage {
  const count = (...names: string[]) => names.map(name => countAt(usage, name)).find(found => found !== null) ?? null;
  return {
    inputTokens: count('input_tokens', 'prompt_tokens', 'promptTokenCount'),
    cachedInputTokens: null,
    outputTokens: count('output_tokens', 'completion_tokens', 'candidatesTokenCount'),
    reasoningTokens: null,
  };
}
