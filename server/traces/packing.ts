import { hash } from 'node:crypto';
import { fitHead, type Head, type Member, ownPart } from './heads.ts';
import type { ItemRef } from './items.ts';
import { isObject, type JsonObject } from './json.ts';
import type { Redactor } from './redaction.ts';

/**
 * Agents send the whole conversation again with every request. So that a trace of n turns is not n² large, big parts
 * are stored once and stand as references:
 *
 * - `{"$item": number}`: the item's JSON, word for word;
 * - `{"$list": number}`: a list, stored as `{before: number | null, items: [...]}`, where `before` is the list of the
 *   request before, of which this one is a continuation.
 *
 * What is the same in the requests of a conversation is stored once as their head, see `Head`; so with its replies.
 */
export interface PartWriter {
  /** The number of an item; one that is known is not stored again. */
  put(text: string): number;
  /** Stores an item that will not come again. */
  append(text: string): number;
  /** Stores a head of a conversation. */
  putHead(conversation: string, json: string): number;
}

/** Smaller values stay where they are. */
const minFieldLength = 256;
const minItemLength = 160;
/** Lists of a reply whose elements come back one by one in the next request; any other is one item. */
const replyLists = new Set(['output', 'content', 'choices', 'candidates']);

/** What was sent so far in one conversation, and where stored lists end in it. */
interface ListState {
  /** Hashes of the elements as sent, before redaction: they live in memory only. */
  readonly hashes: readonly string[];
  readonly ends: readonly { readonly length: number; readonly list: number }[];
  /** Which elements redaction changed. */
  readonly changed: readonly number[];
}

const nothing: ListState = { hashes: [], ends: [], changed: [] };
const keptStates = 200;
/** Kinds of requests and replies whose heads are remembered. */
const keptHeads = 800;

const keyOf = (conversation: string, responseId: string) => `${conversation}\n${responseId}`;

export interface PackedRequest {
  /** What to store, redacted. */
  readonly json: string;
  readonly head: number | null;
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
  readonly head: number | null;
  /** `JSON.stringify` of what unpacking it gives. */
  readonly text: string;
  /** Its large members as JSON, redacted. */
  readonly parts: readonly string[];
  readonly changed: boolean;
}

export class Packer {
  readonly #parts: PartWriter;
  readonly #redactor: Redactor;
  #conversations = new Map<string, ListState>();
  #responses = new Map<string, { state: ListState; output: readonly unknown[] }>();
  #heads = new Map<string, Head>();

  constructor(parts: PartWriter, redactor: Redactor) {
    this.#parts = parts;
    this.#redactor = redactor;
  }

  /**
   * One that only adds to an earlier response (`previous_response_id`) becomes whole again, within one conversation:
   * who knows the id of another's response must not see what was said there.
   */
  request(request: unknown, listField: string, conversation: string): PackedRequest {
    if (!isObject(request)) {
      const { stored, raw, changed } = this.#plain(request);
      return { json: JSON.stringify(stored), head: null, sent: raw, tail: null, changed, remember: () => undefined };
    }
    let list: PackedList | null = null;
    let changed = false;
    const members: Member[] = [];
    const texts: string[] = [];
    for (const [name, value] of Object.entries(request)) {
      if (name === listField && Array.isArray(value)) {
        list = this.#list(value, conversation, request['previous_response_id']);
        changed ||= list.changed;
        members.push([name, JSON.stringify({ $list: list.state.ends.at(-1)?.list ?? this.#node(null, []) })]);
        texts.push(`${JSON.stringify(name)}:${list.sent}`);
      } else {
        const field = this.#field(name, value);
        changed ||= field.changed;
        members.push([name, textOf(field.stored)]);
        texts.push(`${JSON.stringify(name)}:${field.raw}`);
      }
    }
    const state = list?.state ?? nothing;
    return {
      ...this.#headed(members, conversation, 'request'),
      sent: `{${texts.join(',')}}`,
      tail: list?.tail ?? null,
      changed,
      remember: (responseId, output) => keep(this.#responses, keyOf(conversation, responseId), { state, output }),
    };
  }

  /** Null when there is no reply. */
  reply(reply: unknown, conversation: string): PackedReply | null {
    if (reply === null || reply === undefined) return null;
    if (!isObject(reply)) {
      const { stored, text, changed } = this.#plain(reply);
      return { json: JSON.stringify(stored), head: null, text, parts: [], changed };
    }
    let changed = false;
    const texts: string[] = [];
    const large: string[] = [];
    const present = Object.entries(reply).filter(([, value]) => value !== undefined);
    const members = present.map(([name, value]): Member => {
      const isList = Array.isArray(value) && replyLists.has(name);
      const parts = isList ? value.map(element => this.#element(element)) : [this.#field(name, value)];
      changed ||= parts.some(part => part.changed);
      large.push(...parts.map(part => part.text).filter(text => text.length >= minFieldLength));
      const text = parts.map(part => part.text).join(',');
      texts.push(`${JSON.stringify(name)}:${isList ? `[${text}]` : text}`);
      return [name, textOf(isList ? parts.map(part => part.stored) : parts[0]?.stored)];
    });
    return {
      ...this.#headed(members, conversation, 'reply'),
      text: `{${texts.join(',')}}`,
      parts: large,
      changed,
    };
  }

  /** What is known of an exchange beside its texts, redacted. */
  extra(known: JsonObject, conversation: string): { json: string; head: number | null } {
    const clean = this.#redactor.json(known) as JsonObject;
    const members = Object.entries(clean).map(([name, value]): Member => [name, JSON.stringify(value)]);
    return this.#headed(members, conversation, 'extra');
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
        ? base.list
        : this.#node(
            base?.list ?? null,
            fresh.map(part => part.stored),
          );
    const end = { length: hashes.length, list: stored };
    const state = { hashes, ends: base?.list === stored ? ends : [...ends, end], changed };
    if (base?.list !== stored) keep(this.#conversations, conversation, state);
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
    const heads = new Map(this.#heads);
    try {
      return work();
    } catch (error) {
      this.#conversations = conversations;
      this.#responses = responses;
      this.#heads = heads;
      throw error;
    }
  }

  /** Takes nothing of these conversations for stored any more. */
  forget(conversations: ReadonlySet<string>): void {
    for (const id of conversations) this.#conversations.delete(id);
    for (const known of [this.#responses, this.#heads]) {
      for (const key of known.keys()) {
        if (conversations.has(key.slice(0, key.indexOf('\n')))) known.delete(key);
      }
    }
  }

  #node(before: number | null, items: readonly unknown[]): number {
    return this.#parts.append(JSON.stringify({ before, items }));
  }

  /** As it is to be stored, with what it has in common with those before it left out. */
  #headed(members: readonly Member[], conversation: string, kind: 'request' | 'reply' | 'extra') {
    const key = keyOf(conversation, JSON.stringify([kind, ...members.map(([name]) => name)]));
    const head = fitHead(this.#heads.get(key), members, json => this.#parts.putHead(conversation, json));
    keep(this.#heads, key, head, keptHeads);
    return { json: ownPart(head, members), head: head.id };
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
    return isLarge ? { ...part, stored: { $item: this.#parts.put(part.text) } } : part;
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

/** Puts everything back in place of its references. `value` is joined with its head, `load` gives an item's text. */
export function unpack(value: unknown, load: (item: ItemRef) => string): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => {
      if (Array.isArray(field)) return [name, field.map(element => resolve(element, load))];
      const list = refAt(field, '$list');
      return [name, list === null ? resolve(field, load) : unpackList(list, load)];
    }),
  );
}

function unpackList(list: ItemRef, load: (item: ItemRef) => string): unknown[] {
  const parts: unknown[][] = [];
  for (let at: ItemRef | null = list; at !== null; ) {
    const node = JSON.parse(load(at)) as { before: ItemRef | null; items: unknown[] };
    parts.push(node.items.map(element => resolve(element, load)));
    at = node.before;
  }
  return parts.reverse().flat();
}

function resolve(value: unknown, load: (item: ItemRef) => string): unknown {
  const item = refAt(value, '$item');
  return item === null ? value : JSON.parse(load(item));
}

/** The item or list that a stored value stands for; null when it stands for itself. */
export function refAt(value: unknown, kind: '$item' | '$list'): ItemRef | null {
  const ref = isObject(value) ? value[kind] : undefined;
  return typeof ref === 'number' || typeof ref === 'string' ? ref : null;
}

/** What a user's own JSON must not be taken for. */
function looksLikeReference(value: unknown): boolean {
  return isObject(value) && ('$item' in value || '$list' in value);
}

function hashOf(text: string): string {
  return hash('sha256', text, 'base64');
}

function commonLength(a: readonly string[], b: readonly string[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** Remembers the most recent entries only. */
function keep<T>(map: Map<string, T>, key: string, value: T, limit = keptStates): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > limit && !oldest.done) map.delete(oldest.value);
}
