import { createHash } from 'node:crypto';
import { isObject, type JsonObject } from './json.ts';
import type { Redactor } from './redaction.ts';

/**
 * Agents send the whole conversation again with every request. So that a trace of n turns is not n² large, big parts
 * are stored once under the hash of their content and stand as references:
 *
 * - `{"$item": hash}`: the item's JSON, word for word;
 * - `{"$list": hash}`: a list, stored as `{before: hash | null, items: [...]}`, where `before` is the list of the
 *   request before, of which this one is a continuation.
 */
export interface ItemWriter {
  /** Stores a text under its hash; known ones are skipped. */
  put(hash: string, text: string): void;
}

/** Smaller values stay where they are. */
const minFieldLength = 256;
const minItemLength = 160;

/** What was sent so far in one conversation, and where stored lists end in it. */
interface ListState {
  /** Hashes of the elements as sent, before redaction: they live in memory only. */
  readonly hashes: readonly string[];
  readonly ends: readonly { readonly length: number; readonly hash: string }[];
}

const nothing: ListState = { hashes: [], ends: [] };
const keptStates = 200;

const keyOf = (conversation: string, responseId: string) => `${conversation}\n${responseId}`;

export class Packer {
  readonly #items: ItemWriter;
  readonly #redactor: Redactor;
  readonly #conversations = new Map<string, ListState>();
  readonly #responses = new Map<string, { state: ListState; output: readonly unknown[] }>();

  constructor(items: ItemWriter, redactor: Redactor) {
    this.#items = items;
    this.#redactor = redactor;
  }

  /**
   * A request as the JSON to store, redacted. One that only adds to an earlier response (`previous_response_id`)
   * becomes whole again, within one conversation: who knows the id of another's response must not see what was said
   * there. `remember` keeps its reply as a point to add to.
   */
  request(
    request: unknown,
    listField: string,
    conversation: string,
  ): { json: string; remember: (responseId: string, output: readonly unknown[]) => void } {
    if (!isObject(request)) return { json: JSON.stringify(this.#redactor.json(request)), remember: () => undefined };
    const list = request[listField];
    let state = nothing;
    const fields: [string, unknown][] = [];
    for (const [name, value] of Object.entries(request)) {
      if (name !== listField || !Array.isArray(list)) fields.push([name, this.#field(name, value)]);
      else {
        state = this.#list(list, conversation, request['previous_response_id']);
        fields.push([name, { $list: state.ends.at(-1)?.hash ?? this.#node(null, []) }]);
      }
    }
    return {
      json: JSON.stringify(Object.fromEntries(fields)),
      remember: (responseId, output) => keep(this.#responses, keyOf(conversation, responseId), { state, output }),
    };
  }

  /** A reply as the JSON to store, redacted; null stays null. */
  reply(reply: unknown): string | null {
    if (reply === null || reply === undefined) return null;
    if (!isObject(reply)) return JSON.stringify(this.#redactor.json(reply));
    const fields = Object.entries(reply).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(element => this.#element(element)) : this.#field(name, value),
    ]);
    return JSON.stringify(Object.fromEntries(fields));
  }

  #list(list: readonly unknown[], conversation: string, previousId: unknown): ListState {
    const previous = typeof previousId === 'string' ? this.#responses.get(keyOf(conversation, previousId)) : undefined;
    const known = previous?.state ?? this.#conversations.get(conversation) ?? nothing;
    const added = previous === undefined ? list : [...previous.output, ...list];
    const addedHashes = added.map(element => hashOf(JSON.stringify(element) ?? 'null'));
    const hashes = previous === undefined ? addedHashes : [...known.hashes, ...addedHashes];
    const shared = previous === undefined ? commonLength(known.hashes, hashes) : known.hashes.length;
    const ends = known.ends.filter(end => end.length <= shared);
    const base = ends.at(-1);
    const fresh = added.slice((base?.length ?? 0) - (hashes.length - added.length));
    if (fresh.length === 0 && base !== undefined) return { hashes, ends };
    const hash = this.#node(
      base?.hash ?? null,
      fresh.map(element => this.#element(element)),
    );
    const state = { hashes, ends: [...ends, { length: hashes.length, hash }] };
    keep(this.#conversations, conversation, state);
    return state;
  }

  #node(before: string | null, items: readonly unknown[]): string {
    return this.#put(JSON.stringify({ before, items }));
  }

  #element(element: unknown): unknown {
    const clean = this.#redactor.json(element);
    const text = JSON.stringify(clean) ?? 'null';
    return text.length >= minItemLength || looksLikeReference(clean) ? { $item: this.#put(text) } : clean;
  }

  #field(name: string, value: unknown): unknown {
    const clean = (this.#redactor.json({ [name]: value }) as JsonObject)[name];
    const text = JSON.stringify(clean) ?? 'null';
    return text.length >= minFieldLength || looksLikeReference(clean) ? { $item: this.#put(text) } : clean;
  }

  #put(text: string): string {
    const hash = hashOf(text);
    this.#items.put(hash, text);
    return hash;
  }
}

/** Puts everything back in place of its references. `load` gives an item's text. */
export function unpack(stored: string, load: (hash: string) => string): unknown {
  const value: unknown = JSON.parse(stored);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => {
      if (Array.isArray(field)) return [name, field.map(element => resolve(element, load))];
      const list = isObject(field) ? field['$list'] : undefined;
      return [name, typeof list === 'string' ? unpackList(list, load) : resolve(field, load)];
    }),
  );
}

function unpackList(hash: string, load: (hash: string) => string): unknown[] {
  const parts: unknown[][] = [];
  for (let at: string | null = hash; at !== null; ) {
    const node = JSON.parse(load(at)) as { before: string | null; items: unknown[] };
    parts.push(node.items.map(element => resolve(element, load)));
    at = node.before;
  }
  return parts.reverse().flat();
}

function resolve(value: unknown, load: (hash: string) => string): unknown {
  const item = isObject(value) ? value['$item'] : undefined;
  return typeof item === 'string' ? JSON.parse(load(item)) : value;
}

/** What a user's own JSON must not be taken for. */
function looksLikeReference(value: unknown): boolean {
  return isObject(value) && ('$item' in value || '$list' in value);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function commonLength(a: readonly string[], b: readonly string[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** Remembers the most recent entries only. */
function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > keptStates && !oldest.done) map.delete(oldest.value);
}
