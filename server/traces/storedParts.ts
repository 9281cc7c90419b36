import { hash } from 'node:crypto';
import type { ConversationItem } from '../../protocol/sessions.ts';
import type { Sqlite } from '../base/sqlite.ts';
import { keyOf } from './conversation.ts';
import type { Utterance } from './dialects/dialect.ts';
import { dialectNamed } from './dialects/index.ts';
import { unpackItem } from './events/itemContent.ts';
import { isObject, parseJson, stringAt } from './json.ts';

/** One exchange as it lies in the database, see `Packer` for its references. */
export interface StoredExchange {
  readonly dialect: string;
  readonly request_json: string | null;
  readonly response_json: string | null;
}

/** A stored list: the part that a request added to the list before it. */
interface ListNode {
  readonly hash: string;
  readonly before: string | null;
  readonly items: readonly unknown[];
}

/** The first 48 bits of a SHA-256 in hex, as a number that JavaScript and SQLite both hold exactly. */
export function shortKey(sha256Hex: string): number {
  return Number.parseInt(sha256Hex.slice(0, 12), 16);
}

/** Tells what was said apart, as `toConversation` does. */
export function saidKey(said: Utterance): number {
  return shortKey(hash('sha256', keyOf(said)));
}

/** Reads exchanges piece by piece, newest first, where putting the whole conversation together would read too much. */
export class StoredParts {
  readonly #load;

  constructor(database: Sqlite) {
    this.#load = database.prepare('SELECT content FROM items WHERE hash = ?').pluck();
  }

  /** Hashes that an exchange refers to itself, apart from its conversation. */
  references({ request_json, response_json }: StoredExchange): string[] {
    return [request_json, response_json].flatMap(json => {
      const value = json === null ? null : parseJson(json);
      return isObject(value) ? Object.values(value).flatMap(referencesIn) : [];
    });
  }

  /** The lists that a request's conversation is made of, the newest first. */
  *nodes({ request_json }: StoredExchange): Generator<ListNode> {
    const request = request_json === null ? null : parseJson(request_json);
    const lists = isObject(request) ? Object.values(request).map(field => stringAt(field, '$list')) : [];
    for (let at = lists.find(list => list !== null) ?? null; at !== null; ) {
      const { before, items } = JSON.parse(this.#text(at)) as Omit<ListNode, 'hash'>;
      yield { hash: at, before, items };
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
    const request = exchange.request_json === null ? null : parseJson(exchange.request_json);
    const plain = isObject(request) ? this.#resolve(request[dialect.listField]) : undefined;
    const asked = typeof plain === 'string' ? dialect.asked({ [dialect.listField]: plain }) : [];
    const response = exchange.response_json === null ? null : parseJson(exchange.response_json);
    const fields = isObject(response) ? Object.entries(response) : [];
    const whole = fields.map(([name, value]): [string, unknown] => [
      name,
      Array.isArray(value) ? value.map(element => this.#resolve(element)) : this.#resolve(value),
    ]);
    return [...asked, ...dialect.answered(Object.fromEntries(whole))];
  }

  /** Text of what was said in an exchange under this key, see `saidKey`; null when it is not there. */
  textOf(exchange: StoredExchange, kind: ConversationItem['kind'], key: number): string | null {
    const isMeant = (said: Utterance) => said.kind === kind && saidKey(said) === key;
    const answered = this.answered(exchange).find(isMeant);
    if (answered !== undefined) return answered.text;
    for (const { items } of this.nodes(exchange)) {
      const asked = this.asked(exchange, items).find(isMeant);
      if (asked !== undefined) return asked.text;
    }
    return null;
  }

  #resolve(value: unknown): unknown {
    const item = stringAt(value, '$item');
    return item === null ? value : JSON.parse(this.#text(item));
  }

  #text(key: string): string {
    const content = this.#load.get(key) as Buffer | undefined;
    if (content === undefined) throw new Error(`The stored part ${key} is missing.`);
    return unpackItem(content);
  }
}

/** The items that a stored field or list element stands for. */
export function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  const item = stringAt(value, '$item');
  return item === null ? [] : [item];
}
