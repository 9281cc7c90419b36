import type { Exchange } from '../../../protocol/sessions.ts';
import type { Sqlite } from '../../base/sqlite.ts';
import { dialectNamed } from '../dialects/index.ts';
import { isObject, type JsonObject } from '../json.ts';
import { joinHead } from './heads.ts';
import { ItemReader } from './items.ts';
import { refAt, wrappedIn } from './packing.ts';
import { StoredLists } from './storedLists.ts';
import type { StoredExchange } from './storedParts.ts';
import { StoredValues } from './storedValues.ts';

/** What a request adds to the list of the request before it. Requests that go on from the same part share the object. */
export interface ListPart {
  readonly before: ListPart | null;
  /** They are read each time. */
  elements(): unknown[];
}

/** A request, and the conversation in it apart from it. */
export interface OutlinedRequest {
  readonly exchange: Exchange;
  /** Without the elements of the conversation where `list` has them. */
  readonly request: unknown;
  /** The last part of the conversation; null where it is no list. */
  readonly list: ListPart | null;
}

/**
 * Reads the requests of one session, oldest first. What they share is one object, so that who keeps what came of it reads
 * a request at the cost of what it adds. It keeps the parts, not what is in them: make one per reading.
 */
export class StoredRequests {
  readonly #items: ItemReader;
  readonly #values: StoredValues;
  readonly #lists: StoredLists<ListPart>;

  constructor(database: Sqlite) {
    this.#items = new ItemReader(database);
    this.#values = new StoredValues(this.#items);
    this.#lists = new StoredLists(this.#items);
  }

  of(exchange: Exchange, stored: StoredExchange): OutlinedRequest {
    const request = stored.request_json === null ? null : joinHead(stored.request_head, stored.request_json);
    const field = dialectNamed(stored.dialect)?.listField ?? 'input';
    if (!isObject(request)) return { exchange, request, list: null };
    const wrapped = wrappedIn(request);
    const list = refAt((wrapped ?? request)[field], '$list');
    if (list === null) return { exchange, request: this.#values.whole(request), list };
    const rest = this.#values.whole({ ...(wrapped ?? request), [field]: [] }) as JsonObject;
    const whole = wrapped === null ? rest : { ...(this.#values.whole(request) as JsonObject), request: rest };
    return { exchange, request: whole, list: this.#lists.last(list, this.#partOf) };
  }

  readonly #partOf = (before: ListPart | null, items: readonly unknown[]): ListPart => ({
    before,
    elements: () => items.map(item => this.#element(item)),
  });

  /** Each is read once or twice, and not kept: together they are as large as the session. */
  #element(value: unknown): unknown {
    const item = refAt(value, '$item');
    return item === null ? value : JSON.parse(this.#items.text(item));
  }
}
