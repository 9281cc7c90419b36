/** Schema of `traces.sqlite3`, forward only. A released entry is never edited. */
export const traceMigrations: readonly string[] = [
  `
  -- Parts of requests and replies by the SHA-256 of their text; content is zstd of that text.
  CREATE TABLE items (
    hash TEXT PRIMARY KEY,
    content BLOB NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    agent TEXT,
    user_agent TEXT,
    title TEXT NOT NULL DEFAULT '',
    repository TEXT,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL
  );
  CREATE INDEX sessions_by_end ON sessions (ended_ms DESC, id);

  CREATE TABLE exchanges (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    launch_id TEXT,
    trial_id TEXT,
    ts_ms INTEGER NOT NULL,
    duration_ms INTEGER,
    first_byte_ms INTEGER,
    method TEXT NOT NULL,
    url TEXT NOT NULL,
    upstream_host TEXT NOT NULL,
    status INTEGER,
    dialect TEXT NOT NULL,
    transport TEXT NOT NULL,
    model TEXT,
    input_tokens INTEGER,
    cached_input_tokens INTEGER,
    output_tokens INTEGER,
    reasoning_tokens INTEGER,
    cost_usd REAL,
    cost_kind TEXT NOT NULL,
    error TEXT,
    request_json TEXT,
    response_json TEXT,
    extra_json TEXT NOT NULL
  );
  CREATE INDEX exchanges_by_session ON exchanges (session_id, ts_ms);
  CREATE INDEX exchanges_by_launch ON exchanges (launch_id) WHERE launch_id IS NOT NULL;
  CREATE INDEX exchanges_by_trial ON exchanges (trial_id) WHERE trial_id IS NOT NULL;
  CREATE INDEX exchanges_by_time ON exchanges (ts_ms);

  -- Traffic with model hosts that calls no model: counted, not kept.
  CREATE TABLE side_traffic (
    day TEXT NOT NULL,
    host TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (day, host, method, path, status)
  ) WITHOUT ROWID;

  -- Hosts that a trial's agent was kept from.
  CREATE TABLE denials (
    seq INTEGER PRIMARY KEY,
    ts_ms INTEGER NOT NULL,
    launch_id TEXT NOT NULL,
    trial_id TEXT,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    reason TEXT NOT NULL
  );
  CREATE INDEX denials_by_trial ON denials (trial_id);

  CREATE VIEW traces AS
  SELECT id, ts_ms, method, url, request_json, response_json,
    json_patch(
      json_object(
        'upstream_host', upstream_host,
        'status', status,
        'dialect', dialect,
        'transport', transport,
        'model', model,
        'session', session_id,
        'launch', launch_id,
        'trialId', trial_id,
        'durationMs', duration_ms,
        'timeToFirstByteMs', first_byte_ms,
        'usage', json_object(
          'inputTokens', input_tokens,
          'cachedInputTokens', cached_input_tokens,
          'outputTokens', output_tokens,
          'reasoningTokens', reasoning_tokens
        ),
        'cost', json_object('amountUsd', cost_usd, 'kind', cost_kind),
        'error', error
      ),
      extra_json
    ) AS meta_json
  FROM exchanges;
  `,
];
