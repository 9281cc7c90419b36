import { zstdCompressSync } from 'node:zlib';
import type { Cost, Usage } from '../../protocol/usage.ts';
import { openDatabase, type Sqlite } from '../base/sqlite.ts';
import type { SideRequest } from './capturedExchange.ts';
import type { ItemWriter } from './packing.ts';
import { traceMigrations } from './schema.ts';

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
  readonly cost: Cost;
  readonly error: string | null;
  readonly requestJson: string | null;
  readonly responseJson: string | null;
  /** What else is known, as the JSON object that `meta_json` takes over. */
  readonly extraJson: string;
}

export interface SessionRow {
  readonly id: string;
  readonly agent: string | null;
  readonly userAgent: string | null;
  /** Empty while no prompt was seen. */
  readonly title: string;
  readonly repository: string | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

export interface DenialRow {
  readonly atMs: number;
  readonly launchId: string;
  readonly trialId: string | null;
  readonly host: string;
  readonly port: number;
  readonly reason: string;
}

/** The one writer of `traces.sqlite3`. What it is given is redacted already. */
export class TraceWriter implements ItemWriter {
  readonly #database: Sqlite;
  readonly #putItem;
  readonly #putSession;
  readonly #putExchange;
  readonly #countSide;
  readonly #putDenial;
  readonly #trialOf;

  constructor(file: string) {
    this.#database = openDatabase(file, { migrations: traceMigrations, synchronous: 'NORMAL' });
    this.#putItem = this.#database.prepare('INSERT INTO items (hash, content) VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#putSession = this.#database.prepare(`
      INSERT INTO sessions (id, agent, user_agent, title, repository, started_ms, ended_ms)
      VALUES ($id, $agent, $userAgent, $title, $repository, $startedAtMs, $endedAtMs)
      ON CONFLICT (id) DO UPDATE SET
        agent = coalesce(agent, excluded.agent),
        user_agent = coalesce(user_agent, excluded.user_agent),
        title = CASE WHEN title = '' THEN excluded.title ELSE title END,
        repository = coalesce(repository, excluded.repository),
        started_ms = min(started_ms, excluded.started_ms),
        ended_ms = max(ended_ms, excluded.ended_ms)`);
    this.#putExchange = this.#database.prepare(`
      INSERT INTO exchanges (id, session_id, launch_id, trial_id, ts_ms, duration_ms, first_byte_ms, method, url,
        upstream_host, status, dialect, transport, model, input_tokens, cached_input_tokens, output_tokens,
        reasoning_tokens, cost_usd, cost_kind, error, request_json, response_json, extra_json)
      VALUES ($id, $sessionId, $launchId, $trialId, $startedAtMs, $durationMs, $firstByteMs, $method, $url,
        $upstreamHost, $status, $dialect, $transport, $model, $inputTokens, $cachedInputTokens, $outputTokens,
        $reasoningTokens, $amountUsd, $costKind, $error, $requestJson, $responseJson, $extraJson)`);
    this.#countSide = this.#database.prepare(`
      INSERT INTO side_traffic (day, host, method, path, status, requests, size_bytes)
      VALUES (date($atMs / 1000, 'unixepoch'), $host, $method, $path, $status, 1, $sizeBytes)
      ON CONFLICT DO UPDATE SET requests = requests + 1, size_bytes = size_bytes + excluded.size_bytes`);
    this.#putDenial = this.#database.prepare(`
      INSERT INTO denials (ts_ms, launch_id, trial_id, host, port, reason)
      VALUES ($atMs, $launchId, $trialId, $host, $port, $reason)`);
    this.#trialOf = this.#database
      .prepare('SELECT trial_id FROM exchanges WHERE session_id = ? ORDER BY ts_ms LIMIT 1')
      .pluck();
  }

  /** Everything that `work` writes becomes visible at once, or nothing of it. */
  transaction<T>(work: () => T): T {
    return this.#database.transaction(work).immediate();
  }

  put(hash: string, text: string): void {
    this.#putItem.run(hash, zstdCompressSync(text));
  }

  exchange(session: SessionRow, row: ExchangeRow): void {
    const { usage, cost, ...rest } = row;
    this.#putSession.run(session);
    this.#putExchange.run({ ...rest, ...usage, amountUsd: cost.amountUsd, costKind: cost.kind });
  }

  /** The trial that a session was recorded in, null for one of a person; undefined when there is no such session. */
  trialOf(sessionId: string): string | null | undefined {
    return this.#trialOf.get(sessionId) as string | null | undefined;
  }

  side(host: string, request: SideRequest): void {
    this.#countSide.run({ ...request, host, status: request.status ?? 0 });
  }

  deny(row: DenialRow): void {
    this.#putDenial.run(row);
  }

  close(): void {
    this.#database.close();
  }
}
