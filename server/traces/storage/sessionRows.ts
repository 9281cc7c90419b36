import type { Sqlite } from '../../base/sqlite.ts';

export interface SessionRow {
  readonly id: string;
  readonly agent: string | null;
  readonly userAgent: string | null;
  /** Empty while no prompt was seen. */
  readonly title: string;
  /** Where its agent says it works. */
  readonly repository: string | null;
  /** Where its agent was started: the repository until it says where it works. */
  readonly directory: string | null;
  /** What an agent's program asks by itself in it; null for what a person asks. */
  readonly purpose: 'title' | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** Greater than every number that a session ever had. */
const nextSeq = `1 + (SELECT max(session_seq, coalesce((SELECT max(seq) FROM sessions), 0)) FROM deleted_through)`;

/** Writes what is known of sessions: a new one at once, what exchanges add to it once per transaction. */
export class SessionRows {
  readonly #has;
  readonly #isPlaced;
  readonly #insert;
  readonly #update;
  /** What this transaction has to add. */
  readonly #added = new Map<string, SessionRow>();

  constructor(database: Sqlite) {
    this.#has = database.prepare('SELECT 1 FROM sessions WHERE id = ?').pluck();
    this.#isPlaced = database
      .prepare("SELECT 1 FROM sessions WHERE id = ? AND title <> '' AND repository IS NOT NULL")
      .pluck();
    this.#insert = database.prepare(`
      INSERT INTO sessions (id, seq, agent, user_agent, title, repository, purpose, started_ms, ended_ms)
      VALUES ($id, ${nextSeq}, $agent, $userAgent, $title, coalesce($repository, $directory), $purpose,
        $startedAtMs, $endedAtMs)`);
    this.#update = database.prepare(`
      UPDATE sessions SET
        agent = coalesce(agent, $agent),
        user_agent = coalesce(user_agent, $userAgent),
        title = iif(title = '', $title, title),
        repository = iif(repository IS $directory, coalesce($repository, $directory),
          coalesce(repository, $repository, $directory)),
        purpose = coalesce(purpose, $purpose),
        started_ms = min(started_ms, $startedAtMs),
        ended_ms = max(ended_ms, $endedAtMs)
      WHERE id = $id`);
  }

  /** The row is there from now on, so that an exchange can refer to it. What is known first stays. */
  put(row: SessionRow): void {
    const added = this.#added.get(row.id);
    if (added !== undefined) this.#added.set(row.id, together(added, row));
    else if (this.#has.get(row.id) !== undefined) this.#added.set(row.id, row);
    else this.#insert.run(row);
  }

  /** Whether it was stored with a prompt and a directory. */
  isPlaced(id: string): boolean {
    return this.#isPlaced.get(id) !== undefined;
  }

  /** To be called at the end of the transaction. */
  flush(): void {
    for (const row of this.#added.values()) this.#update.run(row);
    this.discard();
  }

  /** The transaction was taken back. */
  discard(): void {
    this.#added.clear();
  }
}

function together(first: SessionRow, next: SessionRow): SessionRow {
  return {
    id: first.id,
    agent: first.agent ?? next.agent,
    userAgent: first.userAgent ?? next.userAgent,
    title: first.title === '' ? next.title : first.title,
    repository: first.repository ?? next.repository,
    directory: first.directory ?? next.directory,
    purpose: first.purpose ?? next.purpose,
    startedAtMs: Math.min(first.startedAtMs, next.startedAtMs),
    endedAtMs: Math.max(first.endedAtMs, next.endedAtMs),
  };
}
