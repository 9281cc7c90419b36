import { hash } from 'node:crypto';
import type { ConversationItem } from '../../../protocol/sessions.ts';
import type { Sqlite } from '../../base/sqlite.ts';
import type { Utterance } from '../dialects/dialect.ts';
import { dialectNamed } from '../dialects/index.ts';
import { isObject, type JsonObject } from '../json.ts';
import { keyOf } from './conversation.ts';
import { joinHead } from './heads.ts';
import { ItemReader, type ItemRef } from './items.ts';
import { refAt, wrappedIn } from './packing.ts';

/** One exchange as it lies in the database, see `Packer` for its references. */
export interface StoredExchange {
  readonly dialect: string;
  readonly request_json: string | null;
  readonly request_head: string | null;
  readonly response_json: string | null;
  readonly response_head: string | null;
}

/** The columns of a `StoredExchange` in a query over `exchanges`. */
export const storedColumns = `dialect, request_json, response_json,
  (SELECT json FROM heads WHERE heads.id = exchanges.request_head) AS request_head,
  (SELECT json FROM heads WHERE heads.id = exchanges.response_head) AS response_head`;

/** A stored list: the part that a request added to the list before it. */
interface ListNode {
  readonly list: ItemRef;
  readonly before: ItemRef | null;
  readonly items: readonly unknown[];
}

/** Tells what was said apart, as `toConversation` does: 48 bits of a hash, which JavaScript and SQLite hold exactly. */
export function saidKey(said: Utterance): number {
  return Number.parseInt(hash('sha256', keyOf(said)).slice(0, 12), 16);
}

/** Every key that it may stand under: what was taken in before schema 5 counted an empty id as one. */
export function saidKeys(said: Utterance): number[] {
  const isNameless = said.callId === null && (said.kind === 'toolCall' || said.kind === 'toolOutput');
  return isNameless ? [saidKey(said), saidKey({ ...said, callId: '' })] : [saidKey(said)];
}

/** Reads exchanges piece by piece, newest first, where putting the whole conversation together would read too much. */
export class StoredParts {
  readonly #items: ItemReader;

  constructor(database: Sqlite) {
    this.#items = new ItemReader(database);
  }

  /** Numbers of the items that an exchange refers to itself, apart from its conversation. */
  references(exchange: StoredExchange): number[] {
    const request = requestOf(exchange);
    const values = [request, wrappedIn(request) ?? {}, responseOf(exchange)];
    return this.numbers(values.flatMap(value => Object.values(value).flatMap(referencesIn)));
  }

  numbers(refs: readonly ItemRef[]): number[] {
    return refs.map(ref => this.#items.numberOf(ref));
  }

  /** The lists that a request's conversation is made of, the newest first. */
  *nodes(exchange: StoredExchange): Generator<ListNode> {
    const request = requestOf(exchange);
    const lists = Object.values(wrappedIn(request) ?? request).map(field => refAt(field, '$list'));
    for (let at = lists.find(list => list !== null) ?? null; at !== null; ) {
      const { before, items } = JSON.parse(this.#items.text(at)) as Omit<ListNode, 'list'>;
      yield { list: at, before, items };
      at = before;
    }
  }

  /** What a piece of a request's conversation says. */
  asked(exchange: StoredExchange, items: readonly unknown[]): Utterance[] {
    const dialect = dialectNamed(exchange.dialect);
    return dialect?.asked({ [dialect.listField]: items.map(item => this.#resolve(item)) }) ?? [];
  }

  /** What a reply says, and a request whose conversation is no list. */
  answered(exchange: StoredExchange): Utterance[] {
    const dialect = dialectNamed(exchange.dialect);
    if (dialect === null) return [];
    const plain = this.#resolve(requestOf(exchange)[dialect.listField]);
    const asked = typeof plain === 'string' ? dialect.asked({ [dialect.listField]: plain }) : [];
    const whole = Object.entries(responseOf(exchange)).map(([name, value]): [string, unknown] => [
      name,
      Array.isArray(value) ? value.map(element => this.#resolve(element)) : this.#resolve(value),
    ]);
    return [...asked, ...dialect.answered(Object.fromEntries(whole))];
  }

  /**
   * Gives texts of what was said in an exchange under a key, see `saidKey`; null for what is not there. Each part is read
   * once, and none before those that came after it have not held what is looked for.
   */
  textsOf(exchange: StoredExchange): (kind: ConversationItem['kind'], key: number) => string | null {
    const known = new Map<string, string>();
    const unread = this.#said(exchange);
    return (kind, key) => {
      for (;;) {
        const text = known.get(`${kind} ${key}`);
        if (text !== undefined) return text;
        const { done, value: part } = unread.next();
        if (done) return null;
        for (const said of part) {
          for (const each of saidKeys(said)) {
            const name = `${said.kind} ${each}`;
            if (!known.has(name)) known.set(name, said.text);
          }
        }
      }
    };
  }

  *#said(exchange: StoredExchange): Generator<Utterance[], undefined> {
    yield this.answered(exchange);
    for (const { items } of this.nodes(exchange)) yield this.asked(exchange, items);
  }

  #resolve(value: unknown): unknown {
    const item = refAt(value, '$item');
    return item === null ? value : JSON.parse(this.#items.text(item));
  }
}

/** The items that a stored field or list element stands for. */
export function referencesIn(value: unknown): ItemRef[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  const item = refAt(value, '$item');
  return item === null ? [] : [item];
}

function requestOf({ request_head, request_json }: StoredExchange): JsonObject {
  return objectOf(request_head, request_json);
}

function responseOf({ response_head, response_json }: StoredExchange): JsonObject {
  return objectOf(response_head, response_json);
}

/** Empty for what is no object. */
function objectOf(head: string | null, own: string | null): JsonObject {
  const value = own === null ? null : joinHead(head, own);
  return isObject(value) ? value : {};
}
