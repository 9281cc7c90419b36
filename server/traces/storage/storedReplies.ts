import type { Sqlite } from '../../base/sqlite.ts';
import { dialectNamed } from '../dialects/index.ts';
import { arrayAt, isObject, stringAt } from '../json.ts';
import type { StoredReply } from './conversationLists.ts';
import { joinHead } from './heads.ts';
import { ItemReader, type ItemRef } from './items.ts';
import { refAt, unpack, wrappedIn } from './packing.ts';
import { type StoredExchange, storedColumns } from './storedParts.ts';

/** Exchanges of a session that are looked through, the newest of it. */
const maxExchanges = 200;

/** Finds a reply of a session by its id, for a request that goes on from it and comes after a pause. */
export class StoredReplies {
  readonly #database: Sqlite;
  readonly #candidates;

  constructor(database: Sqlite) {
    this.#database = database;
    this.#candidates = database.prepare(`
      SELECT ${storedColumns} FROM exchanges
      WHERE seq IN (SELECT seq FROM exchanges WHERE session_id = ? ORDER BY ts_ms DESC LIMIT ${maxExchanges})
        AND instr(response_json, ?) > 0
      ORDER BY seq DESC`);
  }

  /** Null where there is none, or what is stored of it can't be read. */
  find(sessionId: string, replyId: string): StoredReply | null {
    try {
      for (const stored of this.#candidates.iterate(sessionId, replyId) as IterableIterator<StoredExchange>) {
        const reply = joinHead(stored.response_head, stored.response_json ?? 'null');
        if (stringAt(reply, 'id') === replyId) return this.#read(stored, reply);
      }
    } catch {
      // Damaged parts: the request is stored as it came.
    }
    return null;
  }

  #read(stored: StoredExchange, reply: unknown): StoredReply {
    const items = new ItemReader(this.#database);
    const load = (item: ItemRef) => items.text(item);
    const request = stored.request_json === null ? null : joinHead(stored.request_head, stored.request_json);
    const holder = isObject(request) ? (wrappedIn(request) ?? request) : {};
    const field = dialectNamed(stored.dialect)?.listField ?? 'input';
    const list = refAt(holder[field], '$list');
    const elements = arrayAt(unpack({ [field]: holder[field] }, load), field);
    return {
      asked: list === null ? null : { elements, list: items.numberOf(list) },
      output: arrayAt(unpack(reply, load), 'output'),
    };
  }
}
