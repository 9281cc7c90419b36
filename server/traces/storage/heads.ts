import { isObject } from '../json.ts';

/**
 * Requests of a conversation, and replies in it, differ in a few members. What is the same in them is stored once, as a
 * head: a JSON object with null in place of each member that varies. An exchange then stores those members only.
 */
export interface Head {
  /** JSON of each member, as last seen. */
  readonly texts: readonly string[];
  /** Which of them have been seen to vary. */
  readonly varying: ReadonlySet<number>;
  /** Where the head is stored; null while its kind was seen once. */
  readonly id: number | null;
}

/** A member's name and its JSON. */
export type Member = readonly [name: string, text: string];

/** The head to store an object with, given the head of those before it with the same members in the same order. */
export function fitHead(before: Head | undefined, members: readonly Member[], store: (json: string) => number): Head {
  const texts = members.map(([, text]) => text);
  if (before === undefined) return { texts, varying: new Set(), id: null };
  const differing = texts.flatMap((text, index) => (text === before.texts[index] ? [] : [index]));
  if (before.id !== null && differing.every(index => before.varying.has(index))) return before;
  const varying = new Set([...before.varying, ...differing]);
  const json = objectOf(members.map(([name, text], index) => [name, varying.has(index) ? 'null' : text]));
  return { texts, varying, id: store(json) };
}

/** What an exchange stores beside its head. */
export function ownPart({ id, varying }: Head, members: readonly Member[]): string {
  return objectOf(id === null ? members : members.filter((_, index) => varying.has(index)));
}

/** The whole value again, its members in their order. `head` is null for what is stored as it is. */
export function joinHead(head: string | null, own: string): unknown {
  const value: unknown = JSON.parse(own);
  if (head === null || !isObject(value)) return value;
  const common = JSON.parse(head) as object;
  return Object.fromEntries(
    Object.entries(common).map(([name, member]) => [name, Object.hasOwn(value, name) ? value[name] : member]),
  );
}

function objectOf(members: readonly Member[]): string {
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}
