import { noUsage, type Usage } from '../../../protocol/usage.ts';
import { arrayAt, countAt, isObject, type JsonObject, objectAt, stringAt } from '../json.ts';
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

/** OpenAI Chat Completions, and what speaks like it. */
export const chat: DialectReader = {
  id: 'chat',
  listField: 'messages',
  matches: path => path.endsWith('/chat/completions'),
  model: (_path, request) => stringAt(request, 'model'),
  reply: () => new ChatReply(),
  asked: request => arrayAt(request, 'messages').flatMap(toUtterances),
  answered: reply => ofChoices(arrayAt(reply, 'choices').map(choice => toUtterances(objectAt(choice, 'message')))),
};

const roleKinds: Readonly<Record<string, Utterance['kind']>> = {
  user: 'user',
  assistant: 'assistant',
  system: 'system',
  developer: 'system',
};

function toUtterances(message: unknown): Utterance[] {
  if (!isObject(message)) return [];
  const role = stringAt(message, 'role') ?? '';
  const text = textOf(message['content']) || (stringAt(objectAt(message, 'audio'), 'transcript') ?? '');
  if (role === 'tool') return [utterance('toolOutput', text, { callId: stringAt(message, 'tool_call_id') })];
  if (role === 'function') return [utterance('toolOutput', text, { toolName: stringAt(message, 'name') })];
  const reasoning = stringAt(message, 'reasoning_content') ?? stringAt(message, 'reasoning') ?? '';
  const refusal = stringAt(message, 'refusal') ?? '';
  // As the API had it before `tool_calls`: one, without an id.
  const only = objectAt(message, 'function_call');
  const all = arrayAt(message, 'tool_calls');
  const calls = (only === null ? all : [...all, { function: only }]).map(call => {
    const called = objectAt(call, 'function');
    const tool = { toolName: stringAt(called, 'name'), callId: stringAt(call, 'id') };
    return utterance('toolCall', stringAt(called, 'arguments') ?? '', tool);
  });
  return [
    ...(reasoning === '' ? [] : [utterance('reasoning', reasoning)]),
    ...(text === '' ? [] : [utterance(roleKinds[role] ?? 'other', text)]),
    ...(refusal === '' ? [] : [utterance('assistant', refusal)]),
    ...calls,
  ];
}

class ChatReply implements ReplyBuilder {
  #base: JsonObject | null = null;
  #whole: JsonObject | null = null;
  #usage: JsonObject | null = null;
  #error: string | null = null;
  readonly #choices = new Map<number, Choice>();

  event(value: unknown): number {
    if (!isObject(value)) return 0;
    this.#base ??= value;
    this.#usage = objectAt(value, 'usage') ?? this.#usage;
    this.#error ??= errorMessageOf(value);
    let characters = 0;
    for (const part of arrayAt(value, 'choices')) {
      const index = countAt(part, 'index') ?? 0;
      const choice = this.#choices.get(index) ?? new Choice();
      this.#choices.set(index, choice);
      characters += choice.add(part);
    }
    return characters;
  }

  whole(value: unknown): void {
    if (!isObject(value)) return;
    this.#whole = value;
    this.#usage = objectAt(value, 'usage');
    this.#error = errorMessageOf(value);
  }

  finish(cut: boolean): Reply {
    const source = this.#whole ?? this.#base;
    const ended = [...this.#choices.values()].some(choice => choice.finishReason !== null);
    return {
      json: this.#whole ?? this.#assembled(),
      id: stringAt(source, 'id'),
      model: stringAt(source, 'model'),
      usage: usageOf(this.#usage),
      cacheWriteTokens: countAt(objectAt(this.#usage, 'prompt_tokens_details'), 'cache_write_tokens'),
      error: this.#error ?? (cut && !ended ? cutOff : null),
    };
  }

  #assembled(): unknown {
    if (this.#base === null) return null;
    const inOrder = [...this.#choices].sort(([a], [b]) => a - b);
    const choices = inOrder.map(([index, choice]) => ({ index, ...choice.toJson() }));
    return { ...this.#base, object: 'chat.completion', choices, usage: this.#usage };
  }
}

class Choice {
  finishReason: string | null = null;
  #text = '';
  #reasoning = '';
  #refusal = '';
  #only: { name: string; arguments: string } | null = null;
  #audio: { id: string | null; transcript: string } | null = null;
  readonly #calls = new Map<number, { id: string; name: string; arguments: string }>();

  /** Returns the characters that this piece brought. */
  add(part: unknown): number {
    const delta = objectAt(part, 'delta');
    const text = stringAt(delta, 'content') ?? '';
    const reasoning = stringAt(delta, 'reasoning_content') ?? stringAt(delta, 'reasoning') ?? '';
    this.#text += text;
    this.#reasoning += reasoning;
    this.finishReason = stringAt(part, 'finish_reason') ?? this.finishReason;
    let characters = text.length + reasoning.length;
    if (delta?.['refusal'] || delta?.['function_call'] || delta?.['audio']) characters += this.#addRare(delta);
    for (const piece of arrayAt(delta, 'tool_calls')) {
      const index = countAt(piece, 'index') ?? this.#calls.size;
      const call = this.#calls.get(index) ?? { id: '', name: '', arguments: '' };
      this.#calls.set(index, call);
      call.id ||= stringAt(piece, 'id') ?? '';
      characters += addTo(call, objectAt(piece, 'function'));
    }
    return characters;
  }

  /** Most pieces have none of it: they are not to be looked through for it. */
  #addRare(delta: JsonObject): number {
    const refusal = stringAt(delta, 'refusal') ?? '';
    this.#refusal += refusal;
    const spoken = this.#addAudio(objectAt(delta, 'audio'));
    const only = objectAt(delta, 'function_call');
    if (only === null) return refusal.length + spoken;
    this.#only ??= { name: '', arguments: '' };
    return refusal.length + spoken + addTo(this.#only, only);
  }

  /** The sound itself is left to the events. */
  #addAudio(piece: JsonObject | null): number {
    if (piece === null) return 0;
    const said = stringAt(piece, 'transcript') ?? '';
    this.#audio ??= { id: null, transcript: '' };
    this.#audio.id ??= stringAt(piece, 'id');
    this.#audio.transcript += said;
    return said.length;
  }

  toJson(): JsonObject {
    const calls = [...this.#calls.values()].map(({ id, ...call }) => ({ id, type: 'function', function: call }));
    return {
      finish_reason: this.finishReason,
      message: {
        role: 'assistant',
        content: this.#text,
        ...(this.#refusal === '' ? {} : { refusal: this.#refusal }),
        ...(this.#reasoning === '' ? {} : { reasoning_content: this.#reasoning }),
        ...(this.#audio === null ? {} : { audio: this.#audio }),
        ...(this.#only === null ? {} : { function_call: this.#only }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      },
    };
  }
}

/** Returns the characters that this piece brought. */
function addTo(call: { name: string; arguments: string }, piece: JsonObject | null): number {
  const added = stringAt(piece, 'arguments') ?? '';
  call.name ||= stringAt(piece, 'name') ?? '';
  call.arguments += added;
  return added.length;
}

function usageOf(usage: JsonObject | null): Usage {
  if (usage === null) return noUsage;
  return {
    inputTokens: countAt(usage, 'prompt_tokens'),
    cachedInputTokens: cachedOf(usage),
    outputTokens: outputOf(usage),
    reasoningTokens: reasoningOf(usage),
  };
}

/** DeepSeek has a name of its own for them. */
function cachedOf(usage: JsonObject): number | null {
  return (
    countAt(objectAt(usage, 'prompt_tokens_details'), 'cached_tokens') ?? countAt(usage, 'prompt_cache_hit_tokens')
  );
}

/** Reasoning is part of ours; x.ai counts it in the total, but beside the completion. */
function outputOf(usage: JsonObject): number | null {
  const completion = countAt(usage, 'completion_tokens');
  const reasoning = reasoningOf(usage) ?? 0;
  if (completion === null || reasoning === 0) return completion;
  const total = countAt(usage, 'total_tokens');
  const without = (countAt(usage, 'prompt_tokens') ?? 0) + completion;
  const isBeside = total === without + reasoning || (total !== without && reasoning > completion);
  return isBeside ? completion + reasoning : completion;
}

function reasoningOf(usage: JsonObject): number | null {
  return countAt(objectAt(usage, 'completion_tokens_details'), 'reasoning_tokens');
}
