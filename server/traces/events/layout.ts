/**
 * The events of a stream look alike: hundreds of deltas differ in a few values. A layout is what is the same in them,
 * a list of literal texts, with a slot for a value between each two. Texts are bytes as Latin-1 characters, so that any
 * bytes fit and come back.
 */
export interface Layout {
  readonly id: number;
  /** One more than there are slots. */
  readonly literals: readonly string[];
  readonly slots: readonly Slot[];
  /** Set by who reads the events: this kind brings nothing that has to be parsed. */
  skipped: boolean;
}

/** The column that a slot's values go to. */
type Slot = number;

/** Counters: predicted to be one more than the last. */
export const counterSlot: Slot = 0;
/** Names of the text columns from 1 on. A name's place is part of the stored format: append only. */
export const textNames = [
  'delta',
  'text',
  'content',
  'partial_json',
  'thinking',
  'arguments',
  'signature',
  'obfuscation',
  'reasoning_content',
] as const;
export const columnCount = textNames.length + 1;
/** Random text by which an API hides the length of the others. */
export const paddingSlot: Slot = textNames.indexOf('obfuscation') + 1;

/** Longer events are rarely repeated with other values. */
const maxLearntLength = 2048;

const variable = new RegExp(
  `"(?:(${textNames.join('|')})": ?"((?:[^"\\\\]|\\\\.)*)"|sequence_number": ?(0|[1-9]\\d{0,14})(?=[,}]))`,
  'g',
);

/** What comes many times in a stream: deltas, and Gemini's chunks. Of other events a layout would be used once. */
const repeated = /delta|"candidates"/;

/** The layout that an event and those like it have; null when nothing in it is known to vary. */
export function learn(event: string, id: number): Layout | null {
  if (event.length > maxLearntLength || !repeated.test(event)) return null;
  const literals: string[] = [];
  const slots: Slot[] = [];
  let from = 0;
  for (const match of event.matchAll(variable)) {
    const [whole, name, text, counter] = match;
    const end = match.index + whole.length - (counter === undefined ? 1 : 0);
    const start = end - (counter ?? text ?? '').length;
    slots.push(counter === undefined ? textNames.indexOf(name as (typeof textNames)[number]) + 1 : counterSlot);
    literals.push(event.slice(from, start));
    from = end;
  }
  if (slots.length === 0) return null;
  literals.push(event.slice(from));
  return { id, literals: literals.map(ownText), slots, skipped: false };
}

/** A copy: a slice would keep the whole text alive that it was cut from. */
function ownText(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('latin1');
}

/** The values of an event in a layout, or null when it has another. Literals and values in turn are the event again. */
export function valuesIn(event: string, { literals, slots }: Layout): string[] | null {
  let at = (literals[0] as string).length;
  if (!standsAt(event, 0, literals[0] as string)) return null;
  const values: string[] = [];
  for (let index = 0; index < slots.length; index++) {
    const next = literals[index + 1] as string;
    const isLast = index === slots.length - 1;
    const end = slots[index] === counterSlot ? counterEnd(event, at) : textEnd(event, at, next, isLast);
    if (end < at || !standsAt(event, end, next)) return null;
    values.push(event.slice(at, end));
    at = end + next.length;
  }
  return at === event.length ? values : null;
}

/** Two slices are compared word by word, `startsWith` goes character by character: five times the time of a stream. */
function standsAt(event: string, at: number, literal: string): boolean {
  return event.slice(at, at + literal.length) === literal;
}

/** Where a text ends: before the quote with which the next literal begins. */
function textEnd(event: string, from: number, next: string, isLast: boolean): number {
  if (isLast) return event.length - next.length;
  let end = event.indexOf('"', from);
  while (end >= 0 && !standsAt(event, end, next)) end = event.indexOf('"', end + 1);
  return end;
}

/** Where the digits end that stand for one number in one way only; -1 when there are none or too many. */
function counterEnd(event: string, from: number): number {
  let end = from;
  for (let code = event.charCodeAt(end); code >= 0x30 && code <= 0x39; code = event.charCodeAt(end)) end++;
  const digits = end - from;
  return digits === 0 || digits > 15 || (digits > 1 && event.charCodeAt(from) === 0x30) ? -1 : end;
}
