import { noUsage, type Usage } from '../../../protocol/usage.ts';
import { arrayAt, countAt, isObject, type JsonObject, objectAt, stringAt } from '../json.ts';
import { inPieces } from '../redaction/splitTexts.ts';
import {
  cutOff,
  type DialectReader,
  errorMessageOf,
  ofChoices,
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
  answered: reply => ofChoices(arrayAt(reply, 'candidates').map(each => toUtterances(objectAt(each, 'content')))),
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
  #error: string | null = null;
  #characters = 0;
  readonly #candidates = new Map<number, Candidate>();

  event(value: unknown): number {
    const chunk = objectAt(value, 'response') ?? (isObject(value) ? value : null);
    if (chunk === null) return 0;
    this.#last = chunk;
    this.#usage = objectAt(chunk, 'usageMetadata') ?? this.#usage;
    this.#error ??= errorMessageOf(chunk);
    const before = this.#characters;
    let place = 0;
    for (const piece of arrayAt(chunk, 'candidates')) {
      this.#characters += this.#candidate(countAt(piece, 'index') ?? place).add(piece);
      place++;
    }
    return this.#characters - before;
  }

  /** A whole body is one chunk, or, without `alt=sse`, an array of chunks. */
  whole(value: unknown): void {
    for (const chunk of Array.isArray(value) ? value : [value]) this.event(chunk);
  }

  finish(cut: boolean): Reply {
    const blocked = stringAt(objectAt(this.#last, 'promptFeedback'), 'blockReason') !== null;
    const ended = blocked || [...this.#candidates.values()].some(candidate => candidate.finishReason !== null);
    return {
      json: this.#assembled(),
      id: stringAt(this.#last, 'responseId'),
      model: stringAt(this.#last, 'modelVersion'),
      usage: usageOf(this.#usage, this.#characters === 0),
      cacheWriteTokens: null,
      error: this.#error ?? (cut && !ended ? cutOff : null),
    };
  }

  #candidate(index: number): Candidate {
    let candidate = this.#candidates.get(index);
    if (candidate === undefined) {
      candidate = new Candidate();
      this.#candidates.set(index, candidate);
    }
    return candidate;
  }

  #assembled(): unknown {
    if (this.#last === null || this.#candidates.size === 0) return this.#last;
    const inOrder = [...this.#candidates].sort(([a], [b]) => a - b);
    const candidates = inOrder.map(([, candidate]) => candidate.toJson());
    return { ...this.#last, candidates, ...(this.#usage === null ? {} : { usageMetadata: this.#usage }) };
  }
}

class Candidate {
  finishReason: string | null = null;
  #last: JsonObject = {};
  readonly #parts: JsonObject[] = [];

  /** Returns the characters that this piece brought. */
  add(piece: unknown): number {
    // What it is grounded on may come before its last piece.
    if (isObject(piece)) this.#last = { ...this.#last, ...piece };
    this.finishReason = stringAt(piece, 'finishReason') ?? this.finishReason;
    let characters = 0;
    for (const part of arrayAt(objectAt(piece, 'content'), 'parts')) {
      if (!isObject(part)) continue;
      characters += (stringAt(part, 'text') ?? JSON.stringify(part)).length;
      this.#add(part);
    }
    return characters;
  }

  toJson(): JsonObject {
    return {
      ...this.#last,
      ...(this.#parts.length === 0 ? {} : { content: { role: 'model', parts: inPieces(this.#parts) } }),
      ...(this.finishReason === null ? {} : { finishReason: this.finishReason }),
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

/**
 * Thoughts are reported beside the candidates, and what the API's own tools read beside the prompt; ours are part of the
 * output and of the input. An answer that `saysNothing` has no count of its own: it is what the total has beyond the input.
 */
function usageOf(usage: JsonObject | null, saysNothing: boolean): Usage {
  if (usage === null) return noUsage;
  const thoughts = countAt(usage, 'thoughtsTokenCount');
  const input = sum(countAt(usage, 'promptTokenCount'), countAt(usage, 'toolUsePromptTokenCount'));
  const total = countAt(usage, 'totalTokenCount');
  const beyond = saysNothing && input !== null && total !== null ? Math.max(0, total - input) : null;
  return {
    inputTokens: input,
    cachedInputTokens: countAt(usage, 'cachedContentTokenCount'),
    outputTokens: sum(countAt(usage, 'candidatesTokenCount'), thoughts) ?? beyond,
    reasoningTokens: thoughts,
  };
}

/** Null where neither was reported. */
function sum(a: number | null, b: number | null): number | null {
  return a === null && b === null ? null : (a ?? 0) + (b ?? 0);
}
