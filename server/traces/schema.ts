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
  `
  -- What the JSON columns leave out of the wire: the request's own text, the reply's events with their times. A table
  -- of its own, because rows of more than half a page leave the rest of it empty.
  CREATE TABLE wire (
    exchange_seq INTEGER PRIMARY KEY,
    request_verbatim BLOB,
    response_events BLOB
  );
  CREATE TRIGGER wire_goes_with_its_exchange AFTER DELETE ON exchanges BEGIN
    DELETE FROM wire WHERE exchange_seq = old.seq;
  END;
  -- Items are numbered as they come. Those that came together lie in one row, under the number of the last of them,
  -- compressed as one, see packItems: that fills pages and tells the compressor most. No number is used twice.
  ALTER TABLE items RENAME TO items_by_hash;
  CREATE TABLE items (
    last_item INTEGER PRIMARY KEY AUTOINCREMENT,
    content BLOB NOT NULL
  );
  INSERT INTO items (content) SELECT content FROM items_by_hash ORDER BY hash;
  -- The first 128 bits of the SHA-256 of an item's text, for those that may come again.
  CREATE TABLE item_hashes (
    hash BLOB PRIMARY KEY,
    item INTEGER NOT NULL
  ) WITHOUT ROWID;
  INSERT INTO item_hashes
  SELECT unhex(substr(hash, 1, 32)), row_number() OVER (ORDER BY hash) FROM items_by_hash;
  DROP TABLE items_by_hash;

  -- What is the same in the JSON of a session's exchanges, with null in place of what is not: see Head.
  CREATE TABLE heads (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL,
    json TEXT NOT NULL
  );
  CREATE INDEX heads_by_session ON heads (session_id);
  CREATE TRIGGER heads_go_with_their_session AFTER DELETE ON sessions BEGIN
    DELETE FROM heads WHERE session_id = old.id;
  END;
  ALTER TABLE exchanges ADD COLUMN request_head INTEGER;
  ALTER TABLE exchanges ADD COLUMN response_head INTEGER;
  ALTER TABLE exchanges ADD COLUMN extra_head INTEGER;

  ALTER TABLE exchanges ADD COLUMN request_bytes INTEGER;
  ALTER TABLE exchanges ADD COLUMN response_bytes INTEGER;

  ALTER TABLE exchanges ADD COLUMN turn_id TEXT;
  -- Which try of its turn, from 1.
  ALTER TABLE exchanges ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;

  -- What the traffic was for: models, tokens, account, auth, telemetry, git, tools, lookup, socket.
  ALTER TABLE side_traffic ADD COLUMN kind TEXT NOT NULL DEFAULT 'lookup';

  ALTER TABLE exchanges ADD COLUMN cache_write_tokens INTEGER;
  -- Price snapshots as JSON, and the one that cost_usd was computed with. A cost that was computed again keeps the one
  -- before beside it.
  CREATE TABLE prices (
    id INTEGER PRIMARY KEY,
    snapshot_json TEXT NOT NULL UNIQUE
  );
  ALTER TABLE exchanges ADD COLUMN price_id INTEGER REFERENCES prices (id);
  ALTER TABLE exchanges ADD COLUMN replaced_cost_usd REAL;
  ALTER TABLE exchanges ADD COLUMN replaced_price_id INTEGER REFERENCES prices (id);

  -- A short key of a session, for the tables that hold much of it.
  ALTER TABLE sessions ADD COLUMN seq INTEGER;
  UPDATE sessions SET seq = rowid;
  CREATE UNIQUE INDEX sessions_by_seq ON sessions (seq);

  -- What exchanges add up to, kept with every write; the model is '' where none was named.
  CREATE TABLE usage_totals (
    session_seq INTEGER NOT NULL,
    day TEXT NOT NULL,
    model TEXT NOT NULL,
    cost_kind TEXT NOT NULL,
    exchanges INTEGER NOT NULL,
    input_tokens INTEGER,
    cached_input_tokens INTEGER,
    cache_write_tokens INTEGER,
    output_tokens INTEGER,
    reasoning_tokens INTEGER,
    cost_usd REAL,
    PRIMARY KEY (session_seq, day, model, cost_kind)
  ) WITHOUT ROWID;
  CREATE INDEX usage_totals_by_day ON usage_totals (day);
  INSERT INTO usage_totals
  SELECT sessions.seq, date(ts_ms / 1000, 'unixepoch'), coalesce(model, ''), cost_kind, count(*), sum(input_tokens),
    sum(cached_input_tokens), NULL, sum(output_tokens), sum(reasoning_tokens), sum(cost_usd)
  FROM exchanges JOIN sessions ON sessions.id = session_id
  GROUP BY 1, 2, 3, 4;

  -- Which sessions hold on to an item.
  CREATE TABLE item_uses (
    session_seq INTEGER NOT NULL,
    item INTEGER NOT NULL,
    PRIMARY KEY (session_seq, item)
  ) WITHOUT ROWID;
  CREATE INDEX item_uses_by_item ON item_uses (item);

  -- What was said in a session, each thing once, where it was first seen; key is of its kind and text.
  CREATE TABLE said (
    id INTEGER PRIMARY KEY,
    session_seq INTEGER NOT NULL,
    exchange_seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX said_by_session ON said (session_seq, key);
  CREATE VIRTUAL TABLE said_text USING fts5 (
    text, content = '', contentless_delete = 1, detail = 'none', tokenize = 'unicode61 remove_diacritics 2'
  );
  -- Merging earlier than usual keeps it a quarter smaller.
  INSERT INTO said_text (said_text, rank) VALUES ('automerge', 2);

  -- What passed and could not be recorded.
  CREATE TABLE losses (
    day TEXT NOT NULL,
    host TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (day, host, reason)
  ) WITHOUT ROWID;

  -- Exchanges up to this one are in item_uses and said; items up to this one lie in large rows.
  CREATE TABLE indexed (through_seq INTEGER NOT NULL, merged_through INTEGER NOT NULL);
  INSERT INTO indexed VALUES (0, 0);

  DROP VIEW traces;
  CREATE VIEW traces AS
  SELECT id, ts_ms, method, url,
    CASE WHEN request_head IS NULL THEN request_json ELSE
      json_patch((SELECT json FROM heads WHERE heads.id = request_head), request_json) END AS request_json,
    CASE WHEN response_head IS NULL THEN response_json ELSE
      json_patch((SELECT json FROM heads WHERE heads.id = response_head), response_json) END AS response_json,
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
        'turnId', turn_id,
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
      CASE WHEN extra_head IS NULL THEN extra_json ELSE
        json_patch((SELECT json FROM heads WHERE heads.id = extra_head), extra_json) END
    ) AS meta_json
  FROM exchanges;
  `,
  `
  -- What deleted exchanges had used, per UTC day: a day's budget counts it on. Nothing is paid for a replay.
  CREATE TABLE deleted_spending (
    day TEXT PRIMARY KEY,
    tokens INTEGER NOT NULL,
    usd REAL NOT NULL
  ) WITHOUT ROWID;
  -- The highest number that a deleted exchange had: no number is used twice, so that a cursor misses nothing.
  CREATE TABLE deleted_through (seq INTEGER NOT NULL);
  INSERT INTO deleted_through SELECT through_seq FROM indexed;
  `,
  `
  -- Exchanges that told no tokens at all: that another of them told some, or 0, does not make up for it.
  ALTER TABLE usage_totals ADD COLUMN without_usage INTEGER NOT NULL DEFAULT 0;
  -- 'title' where an agent's program asks by itself how to call another session; null for what a person asks.
  ALTER TABLE sessions ADD COLUMN purpose TEXT;
  UPDATE usage_totals SET without_usage = exchanges WHERE coalesce(input_tokens, output_tokens) IS NULL;
  UPDATE usage_totals SET without_usage = (
    SELECT count(*) FROM exchanges JOIN sessions ON sessions.id = session_id
    WHERE sessions.seq = session_seq AND date(ts_ms / 1000, 'unixepoch') = usage_totals.day
      AND coalesce(exchanges.model, '') = usage_totals.model AND exchanges.cost_kind = usage_totals.cost_kind
      AND coalesce(exchanges.input_tokens, exchanges.output_tokens) IS NULL
  ) WHERE cost_kind = 'none' AND exchanges > 1 AND without_usage = 0;
  `,
  `
  -- Sessions' numbers (seq) are not used twice either: what is left to be deleted of a session has its number.
  ALTER TABLE deleted_through ADD COLUMN session_seq INTEGER NOT NULL DEFAULT 0;
  UPDATE deleted_through SET session_seq = max(
    coalesce((SELECT max(seq) FROM sessions), 0), coalesce((SELECT max(session_seq) FROM item_uses), 0));
  CREATE TRIGGER sessions_keep_their_number AFTER DELETE ON sessions BEGIN
    UPDATE deleted_through SET session_seq = max(session_seq, old.seq);
  END;
  -- What is a word has changed: said_text is filled anew in quiet moments, the newest first. What is in said up to this
  -- id has no words in it yet.
  ALTER TABLE indexed ADD COLUMN unworded_through INTEGER NOT NULL DEFAULT 0;
  UPDATE indexed SET unworded_through = coalesce((SELECT max(id) FROM said), 0);
  INSERT INTO said_text (said_text) VALUES ('delete-all');
  `,
  `
  -- Sessions of Codex that were deleted and that a recording had answered from beginning to end: the files that Codex
  -- keeps of them tell of tokens as if a model had been asked.
  CREATE TABLE deleted_replays (id TEXT PRIMARY KEY) WITHOUT ROWID;
  `,
];
