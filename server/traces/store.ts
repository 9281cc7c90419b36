import { zstdDecompressSync } from 'node:zlib';
import { CoachError } from '../../protocol/errors.ts';
import type { ConversationItem, Exchange, SessionSummary, StatsRow } from '../../protocol/sessions.ts';
import { toIso } from '../base/clock.ts';
import { openDatabase, type Sqlite } from '../base/sqlite.ts';
import { toConversation } from './conversation.ts';
import { unpack } from './packing.ts';
import {
  ExchangeRecord,
  SessionRecord,
  SessionTotalsRecord,
  StatsRecord,
  toCost,
  toExchange,
  toSessionSummary,
  toUsage,
} from './records.ts';
import { traceMigrations } from './schema.ts';

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

const exchangeColumns = `id, session_id, ts_ms, duration_ms, first_byte_ms, method, url, upstream_host, status, dialect,
  transport, model, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, cost_usd, cost_kind, error`;

const sums = `count(*) AS exchanges, sum(input_tokens) AS input_tokens,
  sum(cached_input_tokens) AS cached_input_tokens, sum(output_tokens) AS output_tokens,
  sum(reasoning_tokens) AS reasoning_tokens, sum(cost_usd) AS cost_usd,
  json_group_array(DISTINCT cost_kind) AS cost_kinds`;

/** Reads `traces.sqlite3`. The recorder alone writes it. */
export class TraceStore {
  readonly #database: Sqlite;

  /** @throws CoachError `schema.newer`, `disk.readOnly` */
  constructor(file: string) {
    this.#database = openDatabase(file, { migrations: traceMigrations, synchronous: 'NORMAL' });
    this.#database.pragma('query_only = ON');
  }

  /** Sessions by their last activity, newest first. `next` is the cursor of the following page, or null. */
  newest(page: { limit: number; before?: string | undefined }): { rows: SessionSummary[]; next: string | null } {
    const [endedMs, id] = parseCursor(page.before);
    const records = this.#database
      .prepare('SELECT * FROM sessions WHERE (ended_ms, id) < (?, ?) ORDER BY ended_ms DESC, id DESC LIMIT ?')
      .all(endedMs, id, page.limit + 1)
      .map(row => SessionRecord.parse(row));
    const rows = records.slice(0, page.limit);
    const last = rows.at(-1);
    const next = records.length > page.limit && last !== undefined ? `${last.ended_ms}~${last.id}` : null;
    return { rows: rows.map(record => this.#summary(record)), next };
  }

  session(sessionId: string): SessionSummary | null {
    const row = this.#database.prepare('SELECT * FROM sessions WHERE id = ?').get(sessionId);
    return row === undefined ? null : this.#summary(SessionRecord.parse(row));
  }

  /** @throws CoachError `session.missing` */
  requireSession(sessionId: string): SessionSummary {
    const session = this.session(sessionId);
    if (session !== null) return session;
    throw new CoachError('session.missing', `No recorded session ${sessionId}.`, {
      hint: 'See the recorded ones with: codex-coach sessions list',
    });
  }

  /** Sessions of people, not of trials, with activity at or after a time (epoch ms), oldest first. */
  personalSessionsSince(epochMs: number): SessionSummary[] {
    return this.#database
      .prepare(
        `SELECT * FROM sessions WHERE ended_ms >= ?
           AND NOT EXISTS (SELECT 1 FROM exchanges WHERE session_id = sessions.id AND trial_id IS NOT NULL)
         ORDER BY started_ms, id`,
      )
      .all(epochMs)
      .map(row => this.#summary(SessionRecord.parse(row)));
  }

  /** The program that spoke, as it named itself to the model's API, such as `codex_exec/0.169.0 (…)`. */
  userAgent(sessionId: string): string | null {
    const row = this.#database.prepare('SELECT * FROM sessions WHERE id = ?').get(sessionId);
    return row === undefined ? null : SessionRecord.parse(row).user_agent;
  }

  exchangesOfSession(sessionId: string): Exchange[] {
    return this.#exchanges('session_id', sessionId);
  }

  /** Exchanges of one launch (`ProxyLaunch.id`), oldest first. */
  exchangesOfLaunch(launchId: string): Exchange[] {
    return this.#exchanges('launch_id', launchId);
  }

  exchangesOfTrial(trialId: string): Exchange[] {
    return this.#exchanges('trial_id', trialId);
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
    const contents = this.#database.prepare('SELECT request_json, response_json FROM exchanges WHERE id = ?');
    for (const exchange of this.exchangesOfSession(sessionId)) {
      const { request_json, response_json } = contents.get(exchange.id) as Record<string, string | null>;
      yield { exchange, request: this.#unpack(request_json), response: this.#unpack(response_json) };
    }
  }

  /** What a session's exchanges add up to, each item once. */
  conversation(sessionId: string): ConversationItem[] {
    return toConversation(this.wholeExchanges(sessionId));
  }

  /** Tokens and cost of the last `days` days (UTC), newest first. */
  stats(days: number): StatsRow[] {
    return this.#database
      .prepare(
        `SELECT date(ts_ms / 1000, 'unixepoch') AS day, coalesce(model, 'unknown') AS model, agent,
           count(DISTINCT session_id) AS sessions, ${sums}
         FROM exchanges JOIN sessions ON sessions.id = session_id
         WHERE ts_ms >= unixepoch('now', 'start of day', ?) * 1000
         GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3`,
      )
      .all(`-${days - 1} days`)
      .map(row => {
        const record = StatsRecord.parse(row);
        const { day, model, agent, sessions, exchanges } = record;
        return { day, model, agent, sessions, exchanges, usage: toUsage(record), cost: toCost(record) };
      });
  }

  dispose(): void {
    this.#database.close();
  }

  #exchanges(column: 'session_id' | 'launch_id' | 'trial_id', value: string): Exchange[] {
    return this.#database
      .prepare(`SELECT ${exchangeColumns} FROM exchanges WHERE ${column} = ? ORDER BY ts_ms, seq`)
      .all(value)
      .map(row => toExchange(ExchangeRecord.parse(row)));
  }

  #summary(record: SessionRecord): SessionSummary {
    const totals = this.#database
      .prepare(`SELECT json_group_array(DISTINCT model) AS models, ${sums} FROM exchanges WHERE session_id = ?`)
      .get(record.id);
    return toSessionSummary(record, SessionTotalsRecord.parse(totals));
  }

  #unpack(stored: string | null | undefined): unknown {
    if (stored === null || stored === undefined) return null;
    const item = this.#database.prepare('SELECT content FROM items WHERE hash = ?').pluck();
    return unpack(stored, hash => zstdDecompressSync(item.get(hash) as Buffer).toString('utf8'));
  }
}

/** Cursors are opaque to clients; one we did not give starts from the newest. */
function parseCursor(cursor: string | undefined): [endedMs: number, id: string] {
  const match = /^(\d+)~(.+)$/.exec(cursor ?? '');
  return [Number(match?.[1] ?? Number.MAX_SAFE_INTEGER), match?.[2] ?? ''];
}
