import { hash } from 'node:crypto';
import { RecentByConversation } from './recentByConversation.ts';

/** What was said when a reply had come. */
export interface StoredReply {
  /** The request's list, whole, and the number it is stored under; null where it had none. */
  readonly asked: { readonly elements: readonly unknown[]; readonly list: number } | null;
  /** The reply's own elements. */
  readonly output: readonly unknown[];
}

/** A list of a request as it is to be stored. */
export interface PackedList {
  readonly state: ListState;
  /** The number of the stored list. */
  readonly list: number;
  /** `JSON.stringify` of the list as it was sent. */
  readonly sent: string;
  /** Elements that were sent, when the list was made whole; else null. */
  readonly tail: number | null;
  /** Redaction changed something in what was sent. */
  readonly changed: boolean;
}

/** What was sent so far in one conversation, and where stored lists end in it. */
interface ListState {
  /** Hashes of the elements as sent, before redaction: they live in memory only. */
  readonly hashes: readonly string[];
  readonly ends: readonly { readonly length: number; readonly list: number }[];
  /** Which elements redaction changed. */
  readonly changed: readonly number[];
}

/** A list element as it is to be stored. */
interface PackedElement {
  readonly stored: unknown;
  readonly changed: boolean;
}

/** Where a list and the reply to it are at hand. */
export interface ListStorage {
  /** Stores a text and gives its number. */
  append(text: string): number;
  /** A reply of a conversation by its id, as it is stored; null where there is none. */
  reply(conversation: string, responseId: string): StoredReply | null;
}

/** The point that a reply leaves a conversation at. */
interface Answered {
  readonly state: ListState;
  readonly output: readonly unknown[];
}

const nothing: ListState = { hashes: [], ends: [], changed: [] };
const keptStates = 200;

/** Stores of each request's list what it adds to the list before it in its conversation. */
export class ConversationLists {
  readonly #storage: ListStorage;
  readonly #element: (element: unknown) => PackedElement;
  readonly #conversations = new RecentByConversation<ListState>(keptStates);
  readonly #responses = new RecentByConversation<Answered>(keptStates);

  /** `element`: redacts an element, and stores it apart when it is large. */
  constructor(storage: ListStorage, element: (element: unknown) => PackedElement) {
    this.#storage = storage;
    this.#element = element;
  }

  pack(list: readonly unknown[], conversation: string, previousId: unknown): PackedList {
    const previous = typeof previousId === 'string' ? this.#answered(conversation, previousId) : undefined;
    const known = previous?.state ?? this.#conversations.get(conversation) ?? nothing;
    const added = previous === undefined ? list : [...previous.output, ...list];
    const texts = added.map(element => JSON.stringify(element) ?? 'null');
    const addedHashes = texts.map(hashOf);
    const hashes = previous === undefined ? addedHashes : [...known.hashes, ...addedHashes];
    const shared = previous === undefined ? commonLength(known.hashes, hashes) : known.hashes.length;
    const ends = known.ends.filter(end => end.length <= shared);
    const base = ends.at(-1);
    const freshFrom = base?.length ?? 0;
    const first = hashes.length - added.length;
    const fresh = added.slice(freshFrom - first).map(this.#element);
    const changed = [
      ...known.changed.filter(index => index < freshFrom),
      ...fresh.flatMap((part, index) => (part.changed ? [freshFrom + index] : [])),
    ];
    const isKnown = fresh.length === 0 && base !== undefined;
    const stored = isKnown ? base.list : this.#node(base?.list ?? null, fresh);
    const state = { hashes, ends: isKnown ? ends : [...ends, { length: hashes.length, list: stored }], changed };
    if (!isKnown) this.#conversations.set(state, conversation);
    const sentFrom = hashes.length - list.length;
    return {
      state,
      list: stored,
      sent: `[${texts.slice(sentFrom - first).join(',')}]`,
      tail: previous === undefined ? null : list.length,
      changed: changed.some(index => index >= sentFrom),
    };
  }

  /** Keeps the reply to a list as a point that a later request may add to. */
  remember(responseId: string, output: readonly unknown[], list: PackedList | null, conversation: string): void {
    this.#responses.set({ state: list?.state ?? nothing, output }, conversation, responseId);
  }

  forget(conversations: ReadonlySet<string>): void {
    this.#conversations.forget(conversations);
    this.#responses.forget(conversations);
  }

  /** Returns what takes back all that happens from now on. */
  snapshot(): () => void {
    const undo = [this.#conversations.snapshot(), this.#responses.snapshot()];
    return () => {
      for (const each of undo) each();
    };
  }

  #answered(conversation: string, responseId: string): Answered | undefined {
    return this.#responses.get(conversation, responseId) ?? this.#stored(conversation, responseId);
  }

  /** After a pause nothing is in memory. What redaction has changed is compared as it is stored: as not the same. */
  #stored(conversation: string, responseId: string): Answered | undefined {
    const reply = this.#storage.reply(conversation, responseId);
    if (reply === null) return undefined;
    const { asked, output } = reply;
    if (asked === null) return { state: nothing, output };
    const hashes = asked.elements.map(element => hashOf(JSON.stringify(element)));
    return { state: { hashes, ends: [{ length: hashes.length, list: asked.list }], changed: [] }, output };
  }

  #node(before: number | null, elements: readonly PackedElement[]): number {
    return this.#storage.append(JSON.stringify({ before, items: elements.map(element => element.stored) }));
  }
}

function hashOf(text: string): string {
  return hash('sha256', text, 'base64');
}

function commonLength(a: readonly string[], b: readonly string[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}
