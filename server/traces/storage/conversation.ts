import type { ConversationItem } from '../../../protocol/sessions.ts';
import type { Utterance } from '../dialects/dialect.ts';
import { parseJson } from '../json.ts';

/** What one exchange says. */
export interface SpokenExchange {
  readonly exchangeId: string;
  /** What the request says beside its list of messages. */
  readonly instructions: readonly Utterance[];
  /** The last part of that list; null when there is none. */
  readonly list: SpokenPart | null;
  readonly answered: readonly Utterance[];
}

/** What a request adds to the list of the request before it. Requests that go on from the same part share the object. */
export interface SpokenPart {
  readonly before: SpokenPart | null;
  readonly said: readonly Utterance[];
}

/**
 * What exchanges add up to. Every request repeats the conversation so far, so an item counts only where it does not
 * follow, in order, from what is there already; a compacted history adds its summary and nothing else.
 *
 * Parts that were there as a whole are not compared again: each costs its own length, whatever came before it.
 */
export function toConversation(exchanges: Iterable<SpokenExchange>): ConversationItem[] {
  const conversation = new Conversation();
  for (const exchange of exchanges) conversation.add(exchange);
  return conversation.items;
}

/** What the model says. In a request it mostly repeats what a reply said; what is new there is of a reply not seen here. */
const ofTheModel: ReadonlySet<ConversationItem['kind']> = new Set(['assistant', 'reasoning', 'toolCall']);

/** Calls and outputs are known by their id; the agent may write their text anew, with other spaces or escapes. */
export function keyOf({ kind, callId, text }: Utterance): string {
  return callId === null ? `${kind}\n${text}` : `${kind}\n#${callId}`;
}

class Conversation {
  readonly items: ConversationItem[] = [];
  /** Where each key stands among the items, ascending. */
  readonly #byKey = new Map<string, number[]>();
  readonly #placesOf = new WeakMap<Utterance, number[]>();
  /** Where calls without an id stand, ascending, by what they do. */
  readonly #nameless = new Map<string, number[]>();
  /** Of parts that were there as a whole: the place behind them, by the place that the search for the list began at. */
  readonly #ends = new WeakMap<SpokenPart, Map<number, number>>();

  add({ exchangeId, instructions, list, answered }: SpokenExchange): void {
    const known = this.items.length;
    const start = this.#follow(instructions, { exchangeId, from: 0, known }).from;
    const parts: SpokenPart[] = [];
    let whole = list;
    for (; whole !== null && !this.#ends.get(whole)?.has(start); whole = whole.before) parts.push(whole);
    let search = { exchangeId, from: (whole && this.#ends.get(whole)?.get(start)) ?? start, known };
    let isWhole = true;
    for (const part of parts.reverse()) {
      search = this.#follow(part.said, search);
      isWhole &&= this.items.length === known;
      if (isWhole) this.#keepEnd(part, start, search.from);
    }
    for (const said of answered) this.#append(said, { exchangeId, ...said });
  }

  /** Adds what does not follow from the known items. Returns the search as it goes on behind what was found. */
  #follow(list: readonly Utterance[], search: Search): Search {
    let { from } = search;
    for (const said of list) {
      let at = firstFrom(this.#placesFor(said), from);
      if (at === undefined || at >= search.known) at = this.#nameCall(said, { ...search, from });
      if (at === undefined) this.#append(said, toAsked(said, search.exchangeId));
      else from = at + 1;
    }
    return { ...search, from };
  }

  /**
   * Where an API gives its calls no ids, the agent may: the same call has one in the next request. It gets that id, by
   * which its output and later requests name it. Returns its place.
   */
  #nameCall(said: Utterance, { from, known }: Search): number | undefined {
    if (said.kind !== 'toolCall' || this.#nameless.size === 0) return undefined;
    const nameless = this.#nameless.get(callOf(said)) ?? [];
    const index = nameless.findIndex(at => at >= from && at < known);
    const [at, item] = [nameless[index], this.items[nameless[index] ?? -1]];
    if (at === undefined || item === undefined) return undefined;
    if (said.callId !== null) {
      nameless.splice(index, 1);
      this.items[at] = { ...item, callId: said.callId };
    }
    const places = this.#placesFor(said);
    places.push(at);
    places.sort((a, b) => a - b);
    return at;
  }

  #append(said: Utterance, item: ConversationItem): void {
    if (said.kind === 'toolCall' && said.callId === null) this.#addNameless(callOf(said), this.items.length);
    this.#placesFor(said).push(this.items.length);
    this.items.push(item);
  }

  #addNameless(call: string, at: number): void {
    const places = this.#nameless.get(call);
    if (places === undefined) this.#nameless.set(call, [at]);
    else places.push(at);
  }

  #placesFor(said: Utterance): number[] {
    let places = this.#placesOf.get(said);
    if (places !== undefined) return places;
    const key = keyOf(said);
    places = this.#byKey.get(key) ?? [];
    this.#byKey.set(key, places);
    this.#placesOf.set(said, places);
    return places;
  }

  /** It stays true: items are only ever added behind those that were found. */
  #keepEnd(part: SpokenPart, start: number, end: number): void {
    const ends = this.#ends.get(part) ?? new Map<number, number>();
    this.#ends.set(part, ends.set(start, end));
  }
}

/** What a call does, however its arguments are written. */
function callOf({ toolName, text }: Utterance): string {
  return `${toolName}\n${JSON.stringify(parseJson(text) ?? text)}`;
}

function toAsked(said: Utterance, exchangeId: string): ConversationItem {
  return ofTheModel.has(said.kind) ? { exchangeId, ...said, isCopied: true } : { exchangeId, ...said };
}

interface Search {
  readonly exchangeId: string;
  /** What is found stands here or later. */
  readonly from: number;
  /** Items before the exchange: what it added itself does not count as repeated. */
  readonly known: number;
}

/** The first of these ascending places that is not before another. */
function firstFrom(places: readonly number[], from: number): number | undefined {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return places[low];
}
