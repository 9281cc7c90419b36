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
 * What exchanges add up to. Every request repeats the conversation so far, so an item counts only where it is not there
 * yet: the second of its words in a request is the second of them in the conversation, wherever those stand. So other
 * instructions, a resumed agent or a compacted history add what is new in them and nothing else. Only what a person says
 * behind a reply was said after it: the same words from before do not stand for it.
 *
 * Each part of a list is compared once: it costs its own length, whatever came before it.
 */
export function toConversation(exchanges: Iterable<SpokenExchange>): ConversationItem[] {
  const conversation = new Conversation();
  for (const exchange of exchanges) conversation.add(exchange);
  return conversation.items;
}

/** What the model says. In a request it mostly repeats what a reply said; what is new there is of a reply not seen here. */
export const ofTheModel: ReadonlySet<ConversationItem['kind']> = new Set(['assistant', 'reasoning', 'toolCall']);

/** Calls and outputs are known by their id; the agent may write their text anew, with other spaces or escapes. */
export function keyOf({ kind, callId, text }: Utterance): string {
  return callId === null ? `${kind}\n${text}` : `${kind}\n#${callId}`;
}

/** All items that the same is said in. */
interface Saying {
  /** Where they stand, ascending. */
  readonly places: number[];
  /** The last of these places that the list at hand was found at; -1 for none. */
  last: number;
}

/** A part of the list at hand, and how things were before it. */
interface PathPart {
  readonly part: SpokenPart;
  readonly steps: number;
  readonly reply: number;
}

class Conversation {
  readonly items: ConversationItem[] = [];
  readonly #byKey = new Map<string, Saying>();
  readonly #sayingOf = new WeakMap<Utterance, Saying>();
  /** Where calls without an id stand, ascending, by what they do. */
  readonly #nameless = new Map<string, number[]>();
  /** The list at hand, and how many of its parts come before each. */
  readonly #path: PathPart[] = [];
  readonly #depths = new Map<SpokenPart, number>();
  /** What the items of that list say, and the `last` of each before it. */
  readonly #steps: Saying[] = [];
  readonly #lasts: number[] = [];
  /** Where its calls were found: they can be said in two ways. */
  readonly #calls = new Set<number>();
  /** The latest place in it where a reply stands that was recorded; -1 for none. */
  #reply = -1;

  add({ exchangeId, instructions, list, answered }: SpokenExchange): void {
    this.#instruct(instructions, exchangeId);
    const parts: SpokenPart[] = [];
    let shared = list;
    for (; shared !== null && !this.#depths.has(shared); shared = shared.before) parts.push(shared);
    this.#goBack(shared === null ? 0 : (this.#depths.get(shared) ?? 0) + 1);
    for (const part of parts.reverse()) this.#goOn(part, exchangeId);
    for (const said of answered) this.#append(said, { exchangeId, ...said });
  }

  /** Instructions stand outside of the list, and are counted for themselves. */
  #instruct(instructions: readonly Utterance[], exchangeId: string): void {
    const counts = new Map<Saying, number>();
    for (const said of instructions) {
      const saying = this.#sayingFor(said);
      const count = (counts.get(saying) ?? 0) + 1;
      counts.set(saying, count);
      if (count > saying.places.length) this.#append(said, toAsked(said, exchangeId));
    }
  }

  /** Leaves all but so many parts of the list at hand. */
  #goBack(depth: number): void {
    const left = this.#path.splice(depth);
    const [first] = left;
    if (first === undefined) return;
    for (const { part } of left) this.#depths.delete(part);
    for (let step = this.#steps.length - 1; step >= first.steps; step--) {
      const saying = this.#steps[step];
      if (saying === undefined) continue;
      this.#calls.delete(saying.last);
      saying.last = this.#lasts[step] ?? -1;
    }
    this.#steps.length = first.steps;
    this.#lasts.length = first.steps;
    this.#reply = first.reply;
  }

  #goOn(part: SpokenPart, exchangeId: string): void {
    this.#depths.set(part, this.#path.length);
    this.#path.push({ part, steps: this.#steps.length, reply: this.#reply });
    for (const said of part.said) {
      const saying = this.#sayingFor(said);
      const found = this.#find(said, saying);
      const at = found ?? this.#append(said, toAsked(said, exchangeId));
      this.#steps.push(saying);
      this.#lasts.push(saying.last);
      saying.last = at;
      if (said.kind === 'toolCall') this.#calls.add(at);
      const isReply = found !== undefined && ofTheModel.has(said.kind) && this.items[at]?.isCopied !== true;
      if (isReply && at > this.#reply) this.#reply = at;
    }
  }

  /** Where the list's next item stands; undefined when it is new. */
  #find(said: Utterance, saying: Saying): number | undefined {
    const from = said.kind === 'user' ? Math.max(saying.last, this.#reply) : saying.last;
    for (let index = firstBehind(saying.places, from); index < saying.places.length; index++) {
      const at = saying.places[index];
      if (at !== undefined && !this.#calls.has(at)) return at;
    }
    return this.#nameCall(said, saying);
  }

  /**
   * Where an API gives its calls no ids, the agent may: the same call has one in the next request. It gets that id, by
   * which its output and later requests name it. Returns its place.
   */
  #nameCall(said: Utterance, { places, last }: Saying): number | undefined {
    if (said.kind !== 'toolCall' || this.#nameless.size === 0) return undefined;
    const nameless = this.#nameless.get(callOf(said)) ?? [];
    const index = nameless.findIndex(at => at > last && !this.#calls.has(at));
    const [at, item] = [nameless[index], this.items[nameless[index] ?? -1]];
    if (at === undefined || item === undefined) return undefined;
    if (said.callId !== null) {
      nameless.splice(index, 1);
      this.items[at] = { ...item, callId: said.callId };
    }
    places.push(at);
    places.sort((a, b) => a - b);
    return at;
  }

  /** Returns its place. */
  #append(said: Utterance, item: ConversationItem): number {
    const at = this.items.length;
    if (said.kind === 'toolCall' && said.callId === null) this.#addNameless(callOf(said), at);
    this.#sayingFor(said).places.push(at);
    this.items.push(item);
    return at;
  }

  #addNameless(call: string, at: number): void {
    const places = this.#nameless.get(call);
    if (places === undefined) this.#nameless.set(call, [at]);
    else places.push(at);
  }

  #sayingFor(said: Utterance): Saying {
    let saying = this.#sayingOf.get(said);
    if (saying !== undefined) return saying;
    const key = keyOf(said);
    saying = this.#byKey.get(key) ?? { places: [], last: -1 };
    this.#byKey.set(key, saying);
    this.#sayingOf.set(said, saying);
    return saying;
  }
}

/** What a call does, however its arguments are written. */
export function callOf({ toolName, text }: Utterance): string {
  return `${toolName}\n${JSON.stringify(parseJson(text) ?? text)}`;
}

function toAsked(said: Utterance, exchangeId: string): ConversationItem {
  return ofTheModel.has(said.kind) ? { exchangeId, ...said, isCopied: true } : { exchangeId, ...said };
}

/** The index of the first of these ascending places that is behind another; their number when there is none. */
function firstBehind(places: readonly number[], place: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle] ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}
