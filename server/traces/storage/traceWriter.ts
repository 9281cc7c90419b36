import type { Cost, Usage } from '../../../protocol/usage.ts';
import { emptyJournal, type Sqlite } from '../../base/sqlite.ts';
import type { SideRequest } from '../connections/capturedExchange.ts';
import { type PriceSnapshot, PriceSnapshots } from '../usage/prices.ts';
import { UsageTotals } from '../usage/totals.ts';
import type { StoredReply } from './conversationLists.ts';
import { ItemStore } from './items.ts';
import type { PartWriter } from './packing.ts';
import { lastNumber } from './records.ts';
import type { LatestSession } from './sessionClock.ts';
import { type SessionRow, SessionRows } from './sessionRows.ts';
import { StoredReplies } from './storedReplies.ts';
import { type FileState, TraceFile } from './traceFile.ts';

export interface ExchangeRow {
  readonly id: string;
  readonly sessionId: string;
  readonly launchId: string | null;
  readonly trialId: string | null;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly firstByteMs: number | null;
  readonly method: string;
  readonly url: string;
  readonly upstreamHost: string;
  readonly status: number | null;
  readonly dialect: string;
  readonly transport: string;
  readonly model: string | null;
  readonly usage: Usage;
  /** Input tokens that the provider wrote to its cache and charges apart; part of the input. */
  readonly cacheWriteTokens: number | null;
  readonly cost: Cost;
  /** The prices behind `cost`. */
  readonly price: PriceSnapshot | null;
  /** The agent's own id of the turn: tries of one request share it. */
  readonly turnId: string | null;
  /** Which try of its turn, from 1. */
  readonly attempt: number;
  readonly error: string | null;
  readonly requestJson: string | null;
  /** What `requestJson`, `responseJson` and `extraJson` have in common with those before them, see `Head`. */
  readonly requestHead: number | null;
  /** What `requestJson` leaves out of the request's text, see `packRequestText`. */
  readonly requestVerbatim: Buffer | null;
  readonly requestBytes: number;
  readonly responseJson: string | null;
  readonly responseHead: number | null;
  /** The reply's bytes with their times, see `packEvents`; null when there was none. */
  readonly responseEvents: Buffer | null;
  readonly responseBytes: number | null;
  /** What else is known, as the JSON object that `meta_json` takes over. */
  readonly extraJson: string;
  readonly extraHead: number | null;
}

export interface DenialRow {
  readonly atMs: number;
  readonly launchId: string;
  readonly trialId: string | null;
  readonly host: string;
  readonly port: number;
  readonly reason: string;
}

export interface LossRow {
  readonly atMs: number;
  readonly host: string;
  readonly reason: string;
  readonly count: number;
}

/** How long a write waits for another process's lock. */
const lockedMs = 1000;

/** The one writer of `traces.sqlite3`. What it is given is redacted already. */
export class TraceWriter implements PartWriter {
  readonly #file: TraceFile;
  readonly #items: ItemStore;
  readonly #putHead;
  readonly #putExchange;
  readonly #putWire;
  readonly #countSide;
  readonly #putDenial;
  readonly #putLoss;
  readonly #trialOf;
  readonly #latestOfLaunch;
  readonly #sessions: SessionRows;
  readonly #totals: UsageTotals;
  readonly #prices: PriceSnapshots;
  readonly #replies: StoredReplies;

  /** @throws CoachError `schema.newer`, `disk.readOnly`, `disk.full` */
  constructor(file: string) {
    this.#file = new TraceFile(file);
    const { database } = this.#file;
    this.waitForLocks(true);
    this.#items = new ItemStore(database);
    this.#putHead = database.prepare('INSERT INTO heads (session_id, json) VALUES (?, ?)');
    this.#putExchange = database.prepare(`
      INSERT INTO exchanges (seq, id, session_id, launch_id, trial_id, ts_ms, duration_ms, first_byte_ms, method, url,
        upstream_host, status, dialect, transport, model, input_tokens, cached_input_tokens, output_tokens,
        reasoning_tokens, cache_write_tokens, cost_usd, cost_kind, price_id, turn_id, attempt, error, request_json,
        request_head, request_bytes, response_json, response_head, response_bytes, extra_json, extra_head)
      VALUES ((${lastNumber}) + 1,
        $id, $sessionId, $launchId, $trialId, $startedAtMs, $durationMs, $firstByteMs, $method, $url, $upstreamHost,
        $status, $dialect, $transport, $model, $inputTokens, $cachedInputTokens, $outputTokens,
        $reasoningTokens, $cacheWriteTokens, $amountUsd, $costKind, $priceId, $turnId, $attempt, $error, $requestJson,
        $requestHead, $requestBytes, $responseJson, $responseHead, $responseBytes, $extraJson, $extraHead)`);
    this.#putWire = database.prepare(
      'INSERT INTO wire (exchange_seq, request_verbatim, response_events) VALUES (?, $requestVerbatim, $responseEvents)',
    );
    this.#countSide = database.prepare(`
      INSERT INTO side_traffic (day, host, method, path, status, kind, requests, size_bytes)
      VALUES (date($atMs / 1000, 'unixepoch'), $host, $method, $path, $status, $kind, 1, $sizeBytes)
      ON CONFLICT DO UPDATE SET requests = requests + 1, size_bytes = size_bytes + excluded.size_bytes`);
    this.#putDenial = database.prepare(`
      INSERT INTO denials (ts_ms, launch_id, trial_id, host, port, reason)
      VALUES ($atMs, $launchId, $trialId, $host, $port, $reason)`);
    this.#putLoss = database.prepare(`
      INSERT INTO losses (day, host, reason, count, last_ms)
      VALUES (date($atMs / 1000, 'unixepoch'), $host, $reason, $count, $atMs)
      ON CONFLICT DO UPDATE SET count = count + excluded.count, last_ms = excluded.last_ms`);
    this.#trialOf = database
      .prepare('SELECT trial_id FROM exchanges WHERE session_id = ? ORDER BY ts_ms LIMIT 1')
      .pluck();
    this.#latestOfLaunch = database.prepare(
      `SELECT session_id AS id, ts_ms + coalesce(duration_ms, 0) AS lastMs FROM exchanges
       WHERE launch_id = ? ORDER BY seq DESC LIMIT 1`,
    );
    this.#sessions = new SessionRows(database);
    this.#totals = new UsageTotals(database);
    this.#prices = new PriceSnapshots(database);
    this.#replies = new StoredReplies(database);
  }

  /** What is written is written for nobody where the database was deleted, replaced or cut. */
  look(): FileState {
    return this.#file.look();
  }

  /** Whether a write waits a moment for another process's lock, or fails at once. */
  waitForLocks(isWaiting: boolean): void {
    this.#file.database.pragma(`busy_timeout = ${isWaiting ? lockedMs : 0}`);
  }

  /** Empties the journal file, unless a reader still needs it. */
  emptyJournal(): void {
    emptyJournal(this.#file.database);
  }

  /** For what keeps the database in order: indexing, retention. */
  get database(): Sqlite {
    return this.#file.database;
  }

  /** Everything that `work` writes becomes visible at once, or nothing of it. */
  transaction<T>(work: () => T): T {
    const whole = this.#file.database.transaction(() => {
      const result = work();
      this.#sessions.flush();
      this.#totals.flush();
      return result;
    });
    try {
      return whole.immediate();
    } catch (error) {
      this.#items.discard();
      this.#sessions.discard();
      this.#totals.discard();
      this.#prices.forget();
      throw error;
    }
  }

  put(text: string): number {
    return this.#items.put(text);
  }

  append(text: string): number {
    return this.#items.append(text);
  }

  reply(conversation: string, responseId: string): StoredReply | null {
    return this.#replies.find(conversation, responseId);
  }

  putHead(conversation: string, json: string): number {
    return Number(this.#putHead.run(conversation, json).lastInsertRowid);
  }

  /** To be called in a transaction. */
  exchange(session: SessionRow, row: ExchangeRow): void {
    const { usage, cost, price, ...rest } = row;
    this.#items.flush();
    this.#sessions.put(session);
    const written = {
      ...rest,
      ...usage,
      amountUsd: cost.amountUsd,
      costKind: cost.kind,
      priceId: this.#prices.put(price),
    };
    const { lastInsertRowid: seq } = this.#putExchange.run(written);
    if (row.requestVerbatim !== null || row.responseEvents !== null) this.#putWire.run(seq, row);
    this.#totals.add(written);
  }

  /** The trial that a session was recorded in, null for one of a person; undefined when there is no such session. */
  trialOf(sessionId: string): string | null | undefined {
    return this.#trialOf.get(sessionId) as string | null | undefined;
  }

  /** Whether a session has a prompt and a directory. */
  isPlaced(sessionId: string): boolean {
    return this.#sessions.isPlaced(sessionId);
  }

  /** What a launch was last recorded under; null for one without exchanges. */
  latestOfLaunch(launchId: string): LatestSession | null {
    return (this.#latestOfLaunch.get(launchId) as LatestSession | undefined) ?? null;
  }

  side(host: string, request: SideRequest): void {
    this.#countSide.run({ ...request, host, status: request.status ?? 0 });
  }

  deny(row: DenialRow): void {
    this.#putDenial.run(row);
  }

  lose(row: LossRow): void {
    this.#putLoss.run(row);
  }

  close(): void {
    this.#file.close();
  }
}
