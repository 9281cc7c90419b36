import type { Sqlite } from '../../base/sqlite.ts';
import type { DialectReader, Utterance } from '../dialects/dialect.ts';
import { dialectNamed } from '../dialects/index.ts';
import { isObject } from '../json.ts';
import { summaryAside } from '../sessions/historySummary.ts';
import { titleAside } from '../sessions/titleRequest.ts';
import type { SpokenExchange, SpokenPart } from './conversation.ts';
import { joinHead } from './heads.ts';
import { ItemReader, type ItemRef } from './items.ts';
import { refAt, wrappedIn } from './packing.ts';
import { StoredLists } from './storedLists.ts';
import type { StoredExchange } from './storedParts.ts';
import { StoredValues } from './storedValues.ts';

/**
 * Reads what the exchanges of one session say, oldest first. What they share (parts of a list, items) is read once, so
 * an exchange costs what it adds. It keeps all of that: make one per reading.
 */
export class StoredSpeech {
  readonly #items: ItemReader;
  readonly #lists: StoredLists<SpokenPart>;
  readonly #said = new Map<string, readonly Utterance[]>();
  readonly #values: StoredValues;

  constructor(database: Sqlite) {
    this.#items = new ItemReader(database);
    this.#values = new StoredValues(this.#items);
    this.#lists = new StoredLists(this.#items);
  }

  of(exchangeId: string, stored: StoredExchange): SpokenExchange {
    const dialect = dialectNamed(stored.dialect);
    if (dialect === null) return { exchangeId, instructions: [], list: null, answered: [] };
    const whole = joined(stored.request_head, stored.request_json);
    // Formats that wrap a request read it without its wrapping as well.
    const request = isObject(whole) ? (wrappedIn(whole) ?? whole) : whole;
    const field = dialect.listField;
    const list = isObject(request) ? refAt(request[field], '$list') : null;
    const rest = isObject(request) && list !== null ? { ...request, [field]: [] } : request;
    return titleAside({
      exchangeId,
      instructions: dialect.asked(this.#values.whole(rest)),
      list: list === null ? null : this.#part(dialect, list),
      answered: dialect.answered(this.#values.whole(joined(stored.response_head, stored.response_json))),
    });
  }

  #part(dialect: DialectReader, list: ItemRef): SpokenPart | null {
    const make = (before: SpokenPart | null, items: readonly unknown[]): SpokenPart => ({
      before,
      said: summaryAside(items.flatMap(item => this.#asked(dialect, item))),
    });
    return this.#lists.last(list, make, dialect.id);
  }

  /** Every format reads its list element by element. */
  #asked(dialect: DialectReader, element: unknown): readonly Utterance[] {
    const item = refAt(element, '$item');
    if (item === null) return dialect.asked({ [dialect.listField]: [element] });
    const key = `${dialect.id} ${item}`;
    const known = this.#said.get(key);
    if (known !== undefined) return known;
    const said = dialect.asked({ [dialect.listField]: [JSON.parse(this.#items.text(item))] });
    this.#said.set(key, said);
    return said;
  }
}

function joined(head: string | null, own: string | null): unknown {
  return own === null ? null : joinHead(head, own);
}
