import { isObject, type JsonObject, objectAt } from '../json.ts';
import type { Redactor } from '../redaction/redaction.ts';
import { ConversationLists, type ListStorage, type PackedList } from './conversationLists.ts';
import { fitHead, type Head, type Member, ownPart } from './heads.ts';
import type { ItemRef } from './items.ts';
import { RecentByConversation } from './recentByConversation.ts';

/**
 * Agents send the whole conversation again with every request. So that a trace of n turns is not n² large, big parts
 * are stored once and stand as references:
 *
 * - `{"$item": number}`: the item's JSON, word for word;
 * - `{"$list": number}`: a list, stored as `{before: number | null, items: [...]}`, where `before` is the list of the
 *   request before, of which this one is a continuation.
 *
 * A request that wraps another, which has the conversation, is stored with the other's members in the same way.
 *
 * What is the same in the requests of a conversation is stored once as their head, see `Head`; so with its replies.
 */
export interface PartWriter extends ListStorage {
  /** The number of an item; one that is known is not stored again. */
  put(text: string): number;
  /** Stores a head of a conversation. */
  putHead(conversation: string, json: string): number;
}

/** Smaller values stay where they are. */
const minFieldLength = 256;
const minItemLength = 160;
/** Where Google's Code Assist has the request of the Gemini API. */
const wrapper = 'request';
/** Lists of a reply whose elements come back one by one in the next request; any other is one item. */
const replyLists = new Set(['output', 'content', 'choices', 'candidates']);

/** Kinds of requests and replies whose heads are remembered. */
const keptHeads = 800;

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
  readonly #lists: ConversationLists;
  readonly #heads = new RecentByConversation<Head>(keptHeads);

  constructor(parts: PartWriter, redactor: Redactor) {
    this.#parts = parts;
    this.#redactor = redactor;
    this.#lists = new ConversationLists(parts, element => this.#element(element));
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
    const previousId = request['previous_response_id'];
    const { members, sent, list, changed } = this.#object(request, { listField, conversation, previousId });
    return {
      ...this.#headed(members, conversation, 'request'),
      sent,
      tail: list?.tail ?? null,
      changed,
      remember: (responseId, output) => this.#lists.remember(responseId, output, list, conversation),
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
    const present = Object.entries(this.#redactor.withoutTokens(reply)).filter(([, value]) => value !== undefined);
    const members = present.map(([name, value]): Member => {
      const isList = Array.isArray(value) && replyLists.has(name);
      const parts = isList ? value.map(element => this.#element(element)) : [this.#field(name, value)];
      changed ||= parts.some(part => part.changed);
      for (const { text } of parts) if (text.length >= minFieldLength) large.push(text);
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

  #object(request: JsonObject, place: ListPlace): PackedObject {
    const wraps = !Array.isArray(request[place.listField]);
    const members: Member[] = [];
    const sent: Member[] = [];
    let list: PackedList | null = null;
    let changed = false;
    for (const [name, value] of Object.entries(request)) {
      const member = this.#member(name, value, place, wraps);
      members.push([name, member.json]);
      sent.push([name, member.sent]);
      list ??= member.list;
      changed ||= member.changed;
    }
    return { members, sent: jsonOf(sent), list, changed };
  }

  #member(name: string, value: unknown, place: ListPlace, wraps: boolean): PackedMember {
    if (name === place.listField && Array.isArray(value)) {
      const list = this.#lists.pack(value, place.conversation, place.previousId);
      return { json: `{"$list":${list.list}}`, sent: list.sent, list, changed: list.changed };
    }
    if (wraps && name === wrapper && isObject(value) && Array.isArray(value[place.listField]) && !isReference(value)) {
      const { members, ...wrapped } = this.#object(value, place);
      return { ...wrapped, json: jsonOf(members) };
    }
    const { stored, raw, changed } = this.#field(name, value);
    return { json: textOf(stored), sent: raw, list: null, changed };
  }

  /** What `work` packs counts only when it returns: what a failed transaction took back is packed anew. */
  attempt<T>(work: () => T): T {
    const undo = [this.#lists.snapshot(), this.#heads.snapshot()];
    try {
      return work();
    } catch (error) {
      for (const each of undo) each();
      throw error;
    }
  }

  /** Takes nothing of these conversations for stored any more. */
  forget(conversations: ReadonlySet<string>): void {
    this.#lists.forget(conversations);
    this.#heads.forget(conversations);
  }

  /** As it is to be stored, with what it has in common with those before it left out. */
  #headed(members: readonly Member[], conversation: string, kind: 'request' | 'reply' | 'extra') {
    const key = JSON.stringify([kind, ...members.map(([name]) => name)]);
    const head = fitHead(this.#heads.get(conversation, key), members, json => this.#parts.putHead(conversation, json));
    this.#heads.set(head, conversation, key);
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

/** Where a request has its conversation, and which one. */
interface ListPlace {
  readonly listField: string;
  readonly conversation: string;
  readonly previousId: unknown;
}

interface PackedMember {
  readonly json: string;
  readonly sent: string;
  readonly list: PackedList | null;
  readonly changed: boolean;
}

interface PackedObject extends Omit<PackedMember, 'json'> {
  readonly members: readonly Member[];
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

function jsonOf(members: readonly Member[]): string {
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}

/** Puts everything back in place of its references. `value` is joined with its head, `load` gives an item's text. */
export function unpack(value: unknown, load: (item: ItemRef) => string): unknown {
  if (!isObject(value)) return value;
  const wrapped = wrappedIn(value);
  const whole = unpackMembers(value, load);
  return wrapped === null ? whole : { ...whole, [wrapper]: unpackMembers(wrapped, load) };
}

/** The request that a stored one wraps, when it has the conversation; else null. */
export function wrappedIn(request: JsonObject): JsonObject | null {
  const wrapped = objectAt(request, wrapper);
  const hasList = Object.values(wrapped ?? {}).some(member => refAt(member, '$list') !== null);
  return hasList ? wrapped : null;
}

function unpackMembers(value: JsonObject, load: (item: ItemRef) => string): JsonObject {
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

/** What a user's own JSON must not be taken for: a reference, a list of them, a wrapped request. */
function looksLikeReference(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isReference);
  return isReference(value) || (isObject(value) && Object.values(value).some(isReference));
}

function isReference(value: unknown): boolean {
  return isObject(value) && ('$item' in value || '$list' in value);
}
