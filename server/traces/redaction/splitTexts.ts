import { isObject } from '../json.ts';

/** As much as is kept of a reply's events. */
const maxCharacters = 8 * 1024 * 1024;
/** What is deeper is not kept. */
const maxDepth = 512;

/** A place in events of one kind: what stands there in each, and the places below it. */
interface Place {
  readonly pieces: string[];
  readonly below: Map<string, Place>;
}

/**
 * Texts that come in pieces over the events of a stream. In a format that no one told us about any string may be such a
 * piece, so those of the same place are joined.
 */
export class SplitTexts {
  readonly #root = newPlace();
  #characters = 0;

  add(event: unknown): void {
    if (!this.overflown) this.#add(event, this.#root, 0);
  }

  /** There was more than can be joined. */
  get overflown(): boolean {
    return this.#characters > maxCharacters;
  }

  joined(): string[] {
    const texts: string[] = [];
    const places = [this.#root];
    for (let place = places.pop(); place !== undefined; place = places.pop()) {
      if (place.pieces.length > 0) texts.push(place.pieces.join(''));
      for (const below of place.below.values()) places.push(below);
    }
    return texts;
  }

  #add(value: unknown, place: Place, depth: number): void {
    if (typeof value === 'string') {
      place.pieces.push(value);
      this.#characters += value.length;
    } else if (typeof value === 'object' && value !== null && depth < maxDepth) {
      for (const [name, member] of Object.entries(value)) this.#add(member, placeOf(name, member, place), depth + 1);
    }
  }
}

/** An element of a list may say itself which one it is. */
function placeOf(name: string, member: unknown, { below }: Place): Place {
  const key = isObject(member) && typeof member['index'] === 'number' ? `#${member['index']}` : name;
  const known = below.get(key) ?? newPlace();
  below.set(key, known);
  return known;
}

function newPlace(): Place {
  return { pieces: [], below: new Map() };
}

const textsOf = new WeakMap<readonly unknown[], SplitTexts>();

/** Events that stand or fall together: one in which a part of a secret is must not be kept for itself. */
export function withTexts(events: readonly unknown[], texts: SplitTexts): readonly unknown[] {
  textsOf.set(events, texts);
  return events;
}

/** Whether the texts that are split over these events, if they are such, are all clean. */
export function isCleanTogether(events: readonly unknown[], isClean: (text: string) => boolean): boolean {
  const texts = textsOf.get(events);
  return texts === undefined || (!texts.overflown && texts.joined().every(isClean));
}
