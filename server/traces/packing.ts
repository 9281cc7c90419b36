import { hash } from 'node:crypto';
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
/** Hexadecimal digits: 128 bits tell items apart as well as 256 do, and every row and reference is shorter. */
const hashLength = 32;
/** Lists of a reply whose elements come back one by one in the next request; any other is one item. */
const replyLists = new Set(['output', 'content', 'choices', 'candidates']);

/** What was sent so far in one conversation, and where stored lists end in it. */
interface ListState {
  /** Hashes of the elements as sent, before redaction: they live in memory only. */
  readonly hashes: readonly string[];
  readonly ends: readonly { readonly length: number; readonly hash: string }[];
  /** Which elements redaction changed. */
  readonly changed: readonly number[];
}

const nothing: ListState = { hashes: [], ends: [], changed: [] };
const keptStates = 200;

const keyOf = (conversation: string, responseId: string) => `${conversation}\n${responseId}`;

export interface PackedRequest {
  /** What to store, redacted. */
  readonly json: string;
  /** `JSON.stringify` of the request as it was sent, secrets included: for comparing, not for storing. */
  readonly sent: string;
  /** Elements of the stored list that were sent, when it was made whole; else null. */
  readonly tail: number | null;
  /** Redaction changed something in what was sent. */
  readonly changed: boolean;
  /** Keeps the reply as a point that a later request may add to. */
  readonly remember: (responseId: string, output: readonly unknown[]) => void;
}

export interface PackedReply {
  /** What to store, redacted. */
  readonly json: string;
  /** `JSON.stringify` of what unpacking it gives. */
  readonly text: string;
  /** Its large members as JSON, redacted. */
  readonly parts: readonly string[];
  readonly changed: boolean;
}

export class Packer {
  readonly #items: ItemWriter;
  readonly #redactor: Redactor;
  #conversations = new Map<string, ListState>();
  #responses = new Map<string, { state: ListState; output: readonly unknown[] }>();

  constructor(items: ItemWriter, redactor: Redactor) {
    this.#items = items;
    this.#redactor = redactor;
  }

  /**
   * One that only adds to an earlier response (`previous_response_id`) becomes whole again, within one conversation:
   * who knows the id of another's response must not see what was said there.
   */
  request(request: unknown, listField: string, conversation: string): PackedRequest {
    if (!isObject(request)) {
      const { stored, raw, changed } = this.#plain(request);
      return { json: JSON.stringify(stored), sent: raw, tail: null, changed, remember: () => undefined };
    }
    let list: PackedList | null = null;
    let changed = false;
    const fields: [string, unknown][] = [];
    const texts: string[] = [];
    for (const [name, value] of Object.entries(request)) {
      if (name === listField && Array.isArray(value)) {
        list = this.#list(value, conversation, request['previous_response_id']);
        changed ||= list.changed;
        fields.push([name, { $list: list.state.ends.at(-1)?.hash ?? this.#node(null, []) }]);
        texts.push(`${JSON.stringify(name)}:${list.sent}`);
      } else {
        const field = this.#field(name, value);
        changed ||= field.changed;
        fields.push([name, field.stored]);
        texts.push(`${JSON.stringify(name)}:${field.raw}`);
      }
    }
    const state = list?.state ?? nothing;
    return {
      json: JSON.stringify(Object.fromEntries(fields)),
      sent: `{${texts.join(',')}}`,
      tail: list?.tail ?? null,
      changed,
      remember: (responseId, output) => keep(this.#responses, keyOf(conversation, responseId), { state, output }),
    };
  }

  /** Null when there is no reply. */
  reply(reply: unknown): PackedReply | null {
    if (reply === null || reply === undefined) return null;
    if (!isObject(reply)) {
      const { stored, text, changed } = this.#plain(reply);
      return { json: JSON.stringify(stored), text, parts: [], changed };
    }
    let changed = false;
    const texts: string[] = [];
    const large: string[] = [];
    const members = Object.entries(reply).filter(([, value]) => value !== undefined);
    const fields = members.map(([name, value]): [string, unknown] => {
      const isList = Array.isArray(value) && replyLists.has(name);
      const parts = isList ? value.map(element => this.#element(element)) : [this.#field(name, value)];
      changed ||= parts.some(part => part.changed);
      large.push(...parts.map(part => part.text).filter(text => text.length >= minFieldLength));
      const text = parts.map(part => part.text).join(',');
      texts.push(`${JSON.stringify(name)}:${isList ? `[${text}]` : text}`);
      return [name, isList ? parts.map(part => part.stored) : parts[0]?.stored];
    });
    return { json: JSON.stringify(Object.fromEntries(fields)), text: `{${texts.join(',')}}`, parts: large, changed };
  }

  #list(list: readonly unknown[], conversation: string, previousId: unknown): PackedList {
    const previous = typeof previousId === 'string' ? this.#responses.get(keyOf(conversation, previousId)) : undefined;
    const known = previous?.state ?? this.#conversations.get(conversation) ?? nothing;
    const added = previous === undefined ? list : [...previous.output, ...list];
    const texts = added.map(textOf);
    const addedHashes = texts.map(hashOf);
    const hashes = previous === undefined ? addedHashes : [...known.hashes, ...addedHashes];
    const shared = previous === undefined ? commonLength(known.hashes, hashes) : known.hashes.length;
    const ends = known.ends.filter(end => end.length <= shared);
    const base = ends.at(-1);
    const freshFrom = base?.length ?? 0;
    const first = hashes.length - added.length;
    const fresh = added.slice(freshFrom - first).map(element => this.#element(element));
    const changed = [
      ...known.changed.filter(index => index < freshFrom),
      ...fresh.flatMap((part, index) => (part.changed ? [freshFrom + index] : [])),
    ];
    const stored =
      fresh.length === 0 && base !== undefined
        ? base.hash
        : this.#node(
            base?.hash ?? null,
            fresh.map(part => part.stored),
          );
    const end = { length: hashes.length, hash: stored };
    const state = { hashes, ends: base?.hash === stored ? ends : [...ends, end], changed };
    if (base?.hash !== stored) keep(this.#conversations, conversation, state);
    const sentFrom = hashes.length - list.length;
    return {
      state,
      sent: `[${texts.slice(sentFrom - first).join(',')}]`,
      tail: previous === undefined ? null : list.length,
      changed: changed.some(index => index >= sentFrom),
    };
  }

  /** What `work` packs counts only when it returns: what a failed transaction took back is packed anew. */
  attempt<T>(work: () => T): T {
    const [conversations, responses] = [new Map(this.#conversations), new Map(this.#responses)];
    try {
      return work();
    } catch (error) {
      this.#conversations = conversations;
      this.#responses = responses;
      throw error;
    }
  }

  /** Takes nothing of these conversations for stored any more. */
  forget(conversations: ReadonlySet<string>): void {
    for (const id of conversations) this.#conversations.delete(id);
    for (const key of this.#responses.keys()) {
      if (conversations.has(key.slice(0, key.indexOf('\n')))) this.#responses.delete(key);
    }
  }

  #node(before: string | null, items: readonly unknown[]): string {
    return this.#put(JSON.stringify({ before, items }));
  }

  #element(element: unknown): Part {
    const part = this.#plain(element);
    return this.#shared(part, minItemLength);
  }

  #field(name: string, value: unknown): Part {
    const clean = (this.#redactor.json({ [name]: value }) as JsonObject)[name];
    return this.#shared(partOf(value, clean), minFieldLength);
  }

  #plain(value: unknown): Part {
    return partOf(value, this.#redactor.json(value));
  }

  #shared(part: Part, minLength: number): Part {
    const isLarge = part.text.length >= minLength || looksLikeReference(part.stored);
    return isLarge ? { ...part, stored: { $item: this.#put(part.text) } } : part;
  }

  #put(text: string): string {
    const key = hashOf(text);
    this.#items.put(key, text);
    return key;
  }
}

interface PackedList {
  readonly state: ListState;
  readonly sent: string;
  readonly tail: number | null;
  readonly changed: boolean;
}

interface Part {
  /** As it stands in the stored JSON. */
  readonly stored: unknown;
  /** Its JSON, redacted. */
  readonly text: string;
  /** Its JSON as it came. */
  readonly raw: string;
  readonly changed: boolean;
}

function partOf(value: unknown, clean: unknown): Part {
  const raw = textOf(value);
  const text = clean === value ? raw : textOf(clean);
  return { stored: clean, text, raw, changed: text !== raw };
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
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
  return hash('sha256', text).slice(0, hashLength);
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
