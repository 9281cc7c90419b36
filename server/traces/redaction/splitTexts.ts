import { redacted } from '../../base/redact/redact.ts';
import { isObject, type JsonObject } from '../json.ts';

/** As much as is kept of a reply's events. */
const maxCharacters = 8 * 1024 * 1024;
/** What is deeper is not kept. */
const maxDepth = 512;
/** What is the same in event after event is no text in pieces: more of it says nothing. */
export const maxRepeats = 8;
/** Of a longer piece only the ends can belong to a secret that is not whole in it. */
const maxPieceLength = 2048;

/** A place in events of one kind: what stands there in each, and the places below it. */
interface Place {
  readonly pieces: string[];
  /** How many of the last pieces are the same. */
  repeats: number;
  readonly below: Map<string | number, Place>;
}

const none: ReadonlySet<string> = new Set();

/**
 * Texts that come in pieces over the events of a stream. Any string of an event may be such a piece, so those of the same
 * place are joined.
 */
export class SplitTexts {
  readonly #root = newPlace();
  #characters = 0;

  /** `except`: names of the texts that are joined elsewhere. */
  add(event: unknown, except = none): void {
    if (!this.overflown) this.#add(event, this.#root, except, 0);
  }

  /** There was more than can be joined. */
  get overflown(): boolean {
    return this.#characters > maxCharacters;
  }

  /** Whether no text that comes in pieces has to be hidden. What comes in one piece is for others to look at. */
  areClean(isClean: (text: string) => boolean): boolean {
    return !this.overflown && this.#unclean(isClean).size === 0;
  }

  /** The same events without the texts that have to be hidden. */
  clean(events: readonly unknown[], isClean: (text: string) => boolean): readonly unknown[] {
    if (this.overflown) return [redacted];
    const unclean = this.#unclean(isClean);
    return unclean.size === 0 ? events : events.map(event => withoutTexts(event, this.#root, unclean));
  }

  #unclean(isClean: (text: string) => boolean): ReadonlySet<Place> {
    const unclean = new Set<Place>();
    const places = [this.#root];
    for (let place = places.pop(); place !== undefined; place = places.pop()) {
      if (place.pieces.length > place.repeats && !isClean(place.pieces.join(''))) unclean.add(place);
      for (const below of place.below.values()) places.push(below);
    }
    return unclean;
  }

  #add(value: unknown, place: Place, except: ReadonlySet<string>, depth: number): void {
    if (typeof value === 'string') this.#push(value, place);
    else if (typeof value === 'object' && value !== null && depth < maxDepth) {
      for (const name in value) {
        const member: unknown = (value as JsonObject)[name];
        if (typeof member === 'string' ? except.has(name) : typeof member !== 'object' || member === null) continue;
        this.#add(member, placeOf(name, member, place), except, depth + 1);
      }
    }
  }

  #push(whole: string, place: Place): void {
    if (whole === '') return;
    const piece = endsOf(whole);
    place.repeats = piece === place.pieces.at(-1) ? place.repeats + 1 : 1;
    if (place.repeats > maxRepeats) return;
    place.pieces.push(piece);
    this.#characters += piece.length;
  }
}

/** An element of a list may say itself which one it is. */
function placeOf(name: string, member: unknown, { below }: Place): Place {
  const key = keyOf(name, member);
  let place = below.get(key);
  if (place === undefined) {
    place = newPlace();
    below.set(key, place);
  }
  return place;
}

function keyOf(name: string, member: unknown): string | number {
  return isObject(member) && typeof member['index'] === 'number' ? member['index'] : name;
}

function newPlace(): Place {
  return { pieces: [], repeats: 0, below: new Map() };
}

function endsOf(piece: string): string {
  if (piece.length <= maxPieceLength) return piece;
  return `${piece.slice(0, maxPieceLength / 2)}\n${piece.slice(-maxPieceLength / 2)}`;
}

function withoutTexts(value: unknown, place: Place | undefined, unclean: ReadonlySet<Place>): unknown {
  if (place === undefined || value === '') return value;
  if (typeof value === 'string') return unclean.has(place) ? redacted : value;
  if (typeof value !== 'object' || value === null) return value;
  const below = (name: string, member: unknown) => withoutTexts(member, place.below.get(keyOf(name, member)), unclean);
  if (Array.isArray(value)) return value.map((member, index) => below(String(index), member));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, below(name, member)]));
}

const textsOfEvents = new WeakMap<object, SplitTexts>();
const textsOfLists = new WeakMap<readonly unknown[], SplitTexts>();

/** Events that stand or fall together: one in which a part of a secret is must not be kept for itself. */
export function withTexts<Events extends object>(events: Events, texts: SplitTexts): Events {
  textsOfEvents.set(events, texts);
  return events;
}

/** Whether the texts that are split over these events, if they are such, are all clean. */
export function isCleanTogether(events: object, isClean: (text: string) => boolean): boolean {
  return textsOfEvents.get(events)?.areClean(isClean) ?? true;
}

/** A list of a reply over which one text may be split, beside others that are whole in themselves. */
export function inPieces<Element>(list: readonly Element[]): readonly Element[] {
  if (list.length < 2) return list;
  const texts = new SplitTexts();
  for (const element of list) texts.add(element);
  textsOfLists.set(list, texts);
  return list;
}

/** Such a list without the texts that are not clean as a whole; any other as it is. */
export function cleanInPieces(list: readonly unknown[], isClean: (text: string) => boolean): readonly unknown[] {
  return textsOfLists.get(list)?.clean(list, isClean) ?? list;
}
