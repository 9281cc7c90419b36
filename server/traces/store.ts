import { existsSync } from 'node:fs';
import { CoachError } from '../../protocol/errors.ts';
import type { ConversationItem, Exchange, SearchHit, SessionSummary, StatsRow } from '../../protocol/sessions.ts';
import type { Cost, Usage } from '../../protocol/usage.ts';
import { toIso } from '../base/clock.ts';
import type { Sqlite } from '../base/sqlite.ts';
import { searchSaid } from './search/search.ts';
import { missing } from './sessions/missing.ts';
import { readableSummary, type SessionPage, sessionPage, summaryOf } from './sessions/sessionPages.ts';
import { type SpokenExchange, toConversation } from './storage/conversation.ts';
import { exchangeIds, exchangesAfter, exchangesBy } from './storage/exchangeRows.ts';
import { lastNumber, SessionRecord } from './storage/records.ts';
import { type StoredExchange, storedColumns } from './storage/storedParts.ts';
import { type OutlinedRequest, StoredRequests } from './storage/storedRequests.ts';
import { StoredSpeech } from './storage/storedSpeech.ts';
import { whole, wireReplyOf, wireTextOf } from './storage/storedWire.ts';
import { TraceFile } from './storage/traceFile.ts';
import type { WireReply, WireText } from './storage/wireText.ts';
import { deletedOnDay, type Spend, spentInSession, spentOnDay } from './usage/spending.ts';
import { type StatsQuery, spentSince, statsOf } from './usage/stats.ts';

/** Connections or exchanges that were not recorded for one reason, and when that last was (epoch ms). */
export interface Loss {
  readonly host: string;
  readonly reason: string;
  readonly count: number;
  readonly lastMs: number;
}

export interface Denial {
  readonly at: string;
  readonly host: string;
  readonly port: number;
  readonly reason: string;
}

/** An exchange with its request and reply, every reference expanded. */
export interface WholeExchange {
  readonly exchange: Exchange;
  readonly request: unknown;
  readonly response: unknown;
}

/** A request, and whether there was a reply to it. */
export interface RecordedRequest extends OutlinedRequest {
  readonly isAnswered: boolean;
}

/** Reads `traces.sqlite3`. The recorder alone writes it. */
export class TraceStore {
  readonly #path: string;
  #file: TraceFile;

  /** @throws CoachError `schema.newer`, `disk.readOnly` */
  constructor(file: string) {
    this.#path = file;
    this.#file = openForReading(file);
  }

  /** What lies at the path now: a deleted database is made anew by the recorder, see `TraceStorage`. */
  get #database(): Sqlite {
    if (!this.#file.database.inTransaction && this.#file.isGone && existsSync(this.#path)) {
      this.#file.close();
      this.#file = openForReading(this.#path);
    }
    return this.#file.database;
  }

  /**
   * What `work` reads is of one moment, whatever is recorded or deleted meanwhile. It waits for nothing: the journal can't
   * be emptied before it is done.
   */
  snapshot<T>(work: () => T): T {
    const database = this.#database;
    return database.inTransaction ? work() : database.transaction(work).deferred();
  }

  /** Sessions by their last activity, newest first. `next` is the cursor of the following page, or null. */
  newest(page: SessionPage): { rows: SessionSummary[]; next: string | null } {
    return sessionPage(this.#database, page);
  }

  /** Ids of Codex's sessions that a recording had answered, deleted since. */
  deletedReplays(): Set<string> {
    return new Set(this.#database.prepare('SELECT id FROM deleted_replays').pluck().all() as string[]);
  }

  /** Agents and models that were ever recorded. */
  known(): { agents: string[]; models: string[] } {
    const agents = this.#database.prepare('SELECT DISTINCT agent FROM sessions WHERE agent IS NOT NULL ORDER BY agent');
    const models = this.#database.prepare("SELECT DISTINCT model FROM usage_totals WHERE model <> '' ORDER BY model");
    return { agents: agents.pluck().all() as string[], models: models.pluck().all() as string[] };
  }

  session(sessionId: string): SessionSummary | null {
    const row = this.#database.prepare('SELECT * FROM sessions WHERE id = ?').get(sessionId);
    return row === undefined ? null : summaryOf(this.#database, SessionRecord.parse(row));
  }

  /** @throws CoachError `session.missing` */
  requireSession(sessionId: string): SessionSummary {
    const session = this.session(sessionId);
    if (session !== null) return session;
    const otherwise = new CoachError('session.missing', `No recorded session ${sessionId}.`, {
      hint: 'See: codex-coach sessions list. What is marked “codex file” there was never on our wire.',
    });
    throw missing(sessionId, otherwise);
  }

  /** How many sessions there are: all, or those whose last activity was before a time (epoch ms). */
  countSessions(beforeMs: number | null): number {
    const count = this.#database.prepare('SELECT count(*) FROM sessions WHERE ? IS NULL OR ended_ms < ?').pluck();
    return count.get(beforeMs, beforeMs) as number;
  }

  /** Sessions of people, not of trials, with activity at or after a time (epoch ms), oldest first. */
  personalSessionsSince(epochMs: number): SessionSummary[] {
    return this.#database
      .prepare(
        `SELECT * FROM sessions WHERE ended_ms >= ? AND purpose IS NULL
           AND NOT EXISTS (SELECT 1 FROM exchanges WHERE session_id = sessions.id AND trial_id IS NOT NULL)
         ORDER BY started_ms, id`,
      )
      .all(epochMs)
      .flatMap(row => readableSummary(this.#database, row));
  }

  /** The program that spoke, as it named itself to the model's API, such as `codex_exec/0.169.0 (…)`. */
  userAgent(sessionId: string): string | null {
    const row = this.#database.prepare('SELECT * FROM sessions WHERE id = ?').get(sessionId);
    return row === undefined ? null : SessionRecord.parse(row).user_agent;
  }

  /** In the order in which they began. */
  exchangesOfSession(sessionId: string): Exchange[] {
    return exchangesBy(this.#database, 'session_id', sessionId);
  }

  /** Exchanges of one launch (`ProxyLaunch.id`), oldest first. */
  exchangesOfLaunch(launchId: string): Exchange[] {
    return exchangesBy(this.#database, 'launch_id', launchId);
  }

  exchangesOfTrial(trialId: string): Exchange[] {
    return exchangesBy(this.#database, 'trial_id', trialId);
  }

  /** Hosts that a trial's agent tried to reach and was refused, oldest first. */
  denialsOfTrial(trialId: string): Denial[] {
    return this.#database
      .prepare('SELECT ts_ms, host, port, reason FROM denials WHERE trial_id = ? ORDER BY seq')
      .all(trialId)
      .map(row => {
        const { ts_ms, ...denial } = row as { ts_ms: number } & Omit<Denial, 'at'>;
        return { at: toIso(ts_ms), ...denial };
      });
  }

  /** How often a path of a model host was asked that calls no model. */
  sideRequests(host: string, path: string): number {
    const sum = 'SELECT coalesce(sum(requests), 0) FROM side_traffic WHERE host = ? AND path = ?';
    return this.#database.prepare(sum).pluck().get(host, path) as number;
  }

  /** The exchanges of a session with what was said in them, oldest first. Read one at a time: they are large. */
  *wholeExchanges(sessionId: string): Generator<WholeExchange> {
    for (const exchange of this.exchangesOfSession(sessionId)) {
      const read = this.snapshot(() => this.#whole(exchange));
      if (read !== null) yield read;
    }
  }

  /** Every exchange of a session with its request, oldest first, each at the cost of what it adds to those before it. */
  *requests(sessionId: string): Generator<RecordedRequest> {
    const requests = new StoredRequests(this.#database);
    for (const exchange of this.exchangesOfSession(sessionId)) {
      const stored = this.#stored(exchange.id);
      if (stored !== undefined) yield { ...requests.of(exchange, stored), isAnswered: stored.response_json !== null };
    }
  }

  /** Null when there is no such exchange. */
  wholeExchange(id: string): WholeExchange | null {
    return this.snapshot(() => {
      const exchange = this.exchange(id);
      return exchange === null ? null : this.#whole(exchange);
    });
  }

  /** Null when there is no such exchange. */
  exchange(id: string): Exchange | null {
    return exchangesBy(this.#database, 'id', id)[0] ?? null;
  }

  /** Ids of exchanges that begin like that, in their order. */
  exchangeIds(idStart: string, limit: number): string[] {
    return exchangeIds(this.#database, idStart, limit);
  }

  /** What the model's API answered, every reference expanded; null when it did not, or there is no such exchange. */
  reply(exchangeId: string): unknown {
    return this.snapshot(() => {
      const stored = this.#stored(exchangeId);
      return stored === undefined ? null : whole(this.#database, stored.response_head, stored.response_json);
    });
  }

  /** An exchange as it was on the wire; null when there is none, or only what it says was recorded. */
  wireText(id: string): WireText | null {
    return wireTextOf(this.#database, id);
  }

  /** Of that the reply alone: it costs nothing of the conversation before it. */
  wireReply(id: string): WireReply | null {
    return wireReplyOf(this.#database, id);
  }

  /** What a session's exchanges add up to, or its first ones, each item once. */
  conversation(sessionId: string, exchanges = Infinity): ConversationItem[] {
    return this.snapshot(() => toConversation(this.#spoken(sessionId, exchanges)));
  }

  /** What exchanges add up to, by the keys asked for. */
  stats(query: StatsQuery): StatsRow[] {
    return statsOf(this.#database, query);
  }

  /** What was spent since a point in time (epoch ms) that is no more than a day or so ago. */
  spentSince(sinceMs: number): { exchanges: number; usage: Usage; cost: Cost } {
    return spentSince(this.#database, sinceMs);
  }

  /** What counts against the budget of a session. */
  spentInSession(sessionId: string): Spend {
    return spentInSession(this.#database, sessionId);
  }

  /** What counts against the budget of a UTC day, such as `2026-01-31`. */
  spentOnDay(day: string): Spend {
    return spentOnDay(this.#database, day);
  }

  /** The part of it that was spent in what was deleted since. */
  deletedOnDay(day: string): Spend {
    return deletedOnDay(this.#database, day);
  }

  /** What could not be recorded on a UTC day, the latest last. */
  lossesOnDay(day: string): Loss[] {
    const columns = 'host, reason, count, last_ms AS lastMs';
    return this.#database.prepare(`SELECT ${columns} FROM losses WHERE day = ? ORDER BY last_ms`).all(day) as Loss[];
  }

  /** Exchanges stored after a cursor, at most 500, in the order they were stored, and the cursor behind them. */
  storedAfter(cursor: number, sessionId: string | null): { rows: Exchange[]; next: number } {
    return exchangesAfter(this.#database, cursor, sessionId);
  }

  /** The cursor behind everything stored so far, for `storedAfter`. */
  lastCursor(): number {
    return this.#database.prepare(lastNumber).pluck().get() as number;
  }

  /**
   * What was said with all these words, best first; words between quotation marks stand together.
   * @throws CoachError `input.invalid` where no word is among them
   */
  search(words: string, limit: number): SearchHit[] {
    const steps = this.searchInSteps(words, limit);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /** The same, with pauses for others: a phrase may be looked for in all that was ever said. */
  searchInSteps(words: string, limit: number): Generator<void, SearchHit[]> {
    return searchSaid(this.#database, words, limit);
  }

  dispose(): void {
    this.#file.close();
  }

  *#spoken(sessionId: string, count: number): Generator<SpokenExchange> {
    const speech = new StoredSpeech(this.#database);
    for (const { id } of this.exchangesOfSession(sessionId).slice(0, count)) {
      const stored = this.#stored(id);
      if (stored !== undefined) yield speech.of(id, stored);
    }
  }

  #stored(id: string): StoredExchange | undefined {
    const contents = this.#database.prepare(`SELECT ${storedColumns} FROM exchanges WHERE id = ?`);
    return contents.get(id) as StoredExchange | undefined;
  }

  /** Null when it is gone. */
  #whole(exchange: Exchange): WholeExchange | null {
    const stored = this.#stored(exchange.id);
    if (stored === undefined) return null;
    return {
      exchange,
      request: whole(this.#database, stored.request_head, stored.request_json),
      response: whole(this.#database, stored.response_head, stored.response_json),
    };
  }
}

function openForReading(path: string): TraceFile {
  const file = new TraceFile(path);
  file.database.pragma('query_only = ON');
  return file;
}
