import { publish, serve } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { sessionPage } from '../../../protocol/pages.ts';
import {
  type ConversationItem,
  type Exchange,
  type RequestChanges,
  type SessionOpening,
  sessions,
} from '../../../protocol/sessions.ts';
import { SessionLines } from '../../../server/traces/sessions/sessionLines.ts';
import type { SessionReader } from '../../../server/traces/sessions/sessionReader.ts';
import { wholeSession } from '../../../server/traces/sessions/sessionReader.ts';
import { reportOf } from '../../../server/traces/sessions/sessionReport.ts';

/** Answers a session page from a session in memory, with the parts that the server answers with. */
export class SessionHost {
  /** What the page asked the editor to do. */
  readonly asked: string[] = [];
  /** How many lines were sent to the page. */
  linesSent = 0;
  #reader: SessionReader;
  #lines: SessionLines;
  readonly #channel: Channel;

  constructor(channel: Channel, reader: SessionReader) {
    this.#channel = channel;
    this.#reader = reader;
    this.#lines = linesOf(reader);
    serve(sessions, this.#handlers(), channel);
    const done = (what: string) => {
      this.asked.push(what);
      return { done: true };
    };
    serve(
      sessionPage,
      {
        openFile: ({ path, line, text }) => done(`openFile ${path} ${line} ${text}`),
        openText: ({ line }) => done(`openText ${line}`),
        openConversation: () => done('openConversation'),
        export: () => done('export'),
      },
      channel,
    );
  }

  /** The session goes on. */
  become(reader: SessionReader): void {
    this.#reader = reader;
    this.#lines = linesOf(reader);
    publish(sessions, this.#channel, 'changed', reader.requireSession(''));
  }

  /** As much as the server answers with before it has read the whole. */
  #opening(): SessionOpening {
    const exchanges = this.#reader.exchangesOfSession('').slice(0, 30);
    const ids = new Set(exchanges.map(({ id }) => id));
    const items = this.#reader.conversation('').filter(({ exchangeId }) => ids.has(exchangeId));
    const lines = new SessionLines(exchanges, items);
    const shown = lines.page(0, 200);
    this.linesSent += shown.length;
    return {
      session: this.#reader.requireSession(''),
      hasTotals: true,
      exchanges,
      rows: [...lines.outline],
      lines: shown,
    };
  }

  #handlers(): Parameters<typeof serve<typeof sessions>>[1] {
    const absent = () => {
      throw new CoachError('internal', 'This host does not do that.');
    };
    return {
      exchanges: () => ({ session: this.#reader.requireSession(''), exchanges: this.#reader.exchangesOfSession('') }),
      opening: () => this.#opening(),
      outline: () => ({ rows: [...this.#lines.outline] }),
      lines: ({ from, limit }) => {
        const lines = this.#lines.page(from, limit);
        this.linesSent += lines.length;
        return { lines };
      },
      text: ({ line, whole }) => this.#lines.text(line, whole) ?? absent(),
      find: ({ text }) => ({ lines: this.#lines.find(text) }),
      summary: () => reportOf(wholeSession(this.#reader, '')),
      changes: ({ exchangeId }) => changesOf(this.#reader.exchangesOfSession(''), exchangeId) ?? absent(),
      list: absent,
      show: absent,
      events: absent,
      search: absent,
      export: absent,
      latest: absent,
      today: absent,
      stats: absent,
      prune: absent,
      reprice: absent,
    };
  }
}

function linesOf(reader: SessionReader): SessionLines {
  const items: ConversationItem[] = reader.conversation('');
  return new SessionLines(reader.exchangesOfSession(''), items);
}

/** Every request adds an item; the third also takes a tool away, which costs it the provider's cache. */
function changesOf(exchanges: readonly Exchange[], id: string): RequestChanges | null {
  const index = exchanges.findIndex(exchange => exchange.id === id);
  const exchange = exchanges[index];
  if (exchange === undefined) return null;
  const isThird = index === 2;
  return {
    exchange,
    previousId: exchanges[index - 1]?.id ?? null,
    keptItems: isThird ? 0 : index,
    itemsBefore: index,
    itemsAfter: index + 1,
    prefixKept: !isThird,
    items: [{ change: 'added', name: 'message user', before: null, after: '"Go on."' }],
    tools: isThird ? [{ change: 'removed', name: 'web_search', before: '{"type":"web_search"}', after: null }] : [],
    settings: [],
  };
}
