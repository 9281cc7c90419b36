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

/** Gemini API `generateContent`, also wrapped as Google's Code Assist sends it (`{request}` / `{response}`). */
export const gemini: DialectReader = {
  id: 'gemini',
  listField: 'contents',
  matches: path => /:(stream)?[gG]enerateContent$/.test(path),
  model: (path, request) => /models\/([^/:]+):/.exec(path)?.[1] ?? stringAt(request, 'model'),
  reply: () => new GeminiReply(),
  asked: request => {
    const body = objectAt(request, 'request') ?? request;
    const system = textOf(arrayAt(objectAt(body, 'systemInstruction'), 'parts'));
    const turns = arrayAt(body, 'contents').flatMap(toUtterances);
    return system === '' ? turns : [utterance('system', system), ...turns];
  },
  answered: reply => toUtterances(objectAt(arrayAt(reply, 'candidates')[0], 'content')),
};

function toUtterances(content: unknown): Utterance[] {
  const kind = stringAt(content, 'role') === 'model' ? 'assistant' : 'user';
  return arrayAt(content, 'parts').map(part => {
    const call = objectAt(part, 'functionCall');
    const output = objectAt(part, 'functionResponse');
    if (call !== null) {
      const tool = { toolName: stringAt(call, 'name'), callId: stringAt(call, 'id') };
      return utterance('toolCall', JSON.stringify(call['args'] ?? {}), tool);
    }
    if (output !== null) {
      const tool = { toolName: stringAt(output, 'name'), callId: stringAt(output, 'id') };
      return utterance('toolOutput', JSON.stringify(output['response'] ?? {}), tool);
    }
    const thought = isObject(part) && part['thought'] === true;
    return utterance(thought ? 'reasoning' : kind, stringAt(part, 'text') ?? '[data]');
  });
}

class GeminiReply implements ReplyBuilder {
  #last: JsonObject | null = null;
  #usage: JsonObject | null = null;
  #finishReason: string | null = null;
  #error: string | null = null;
  readonly #parts: JsonObject[] = [];

  event(value: unknown): number {
    const chunk = objectAt(value, 'response') ?? (isObject(value) ? value : null);
    if (chunk === null) return 0;
    this.#last = chunk;
    this.#usage = objectAt(chunk, 'usageMetadata') ?? this.#usage;
    this.#error ??= errorMessageOf(chunk);
    const candidate = arrayAt(chunk, 'candidates')[0];
    this.#finishReason = stringAt(candidate, 'finishReason') ?? this.#finishReason;
    let characters = 0;
    for (const part of arrayAt(objectAt(candidate, 'content'), 'parts')) {
      if (!isObject(part)) continue;
      characters += (stringAt(part, 'text') ?? JSON.stringify(part)).length;
      this.#add(part);
    }
    return characters;
  }

  /** A whole body is one chunk, or, without `alt=sse`, an array of chunks. */
  whole(value: unknown): void {
    for (const chunk of Array.isArray(value) ? value : [value]) this.event(chunk);
  }

  finish(cut: boolean): Reply {
    return {
      json:
        this.#last === null || this.#parts.length === 0
          ? this.#last
          : {
              ...this.#last,
              candidates: [{ content: { role: 'model', parts: this.#parts }, finishReason: this.#finishReason }],
              usageMetadata: this.#usage,
            },
      id: stringAt(this.#last, 'responseId'),
      model: stringAt(this.#last, 'modelVersion'),
      usage: usageOf(this.#usage),
      cacheWriteTokens: null,
      error: this.#error ?? (cut && this.#finishReason === null ? cutOff : null),
    };
  }

  /** Neighbouring pieces of the same text become one part. */
  #add(part: JsonObject): void {
    const last = this.#parts.at(-1);
    const text = stringAt(part, 'text');
    const before = stringAt(last, 'text');
    if (last !== undefined && text !== null && before !== null && last['thought'] === part['thought']) {
      this.#parts[this.#parts.length - 1] = { ...last, text: before + text };
    } else this.#parts.push(part);
  }
}

/** Thoughts are reported beside the candidates; ours are part of the output. */
function usageOf(usage: JsonObject | null): Usage {
  if (usage === null) return noUsage;
  const written = countAt(usage, 'candidatesTokenCount');
  const thoughts = countAt(usage, 'thoughtsTokenCount');
  return {
    inputTokens: countAt(usage, 'promptTokenCount'),
    cachedInputTokens: countAt(usage, 'cachedContentTokenCount'),
    outputTokens: written === null && thoughts === null ? null : (written ?? 0) + (thoughts ?? 0),
    reasoningTokens: thoughts,
  };
}
