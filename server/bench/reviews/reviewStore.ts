import { ReviewComment } from '../../../protocol/reviews.ts';
import type { Sqlite } from '../../base/sqlite.ts';

/** Review comments in coach.sqlite3, beside the trials that they are about. */
export class ReviewStore {
  readonly #database: Sqlite;

  constructor(database: Sqlite) {
    this.#database = database;
  }

  /** Adds a comment, or writes what is new about it. */
  save(comment: ReviewComment): void {
    this.#database
      .prepare(
        `INSERT INTO review_comments (id, trial_id, reply_to, comment_json) VALUES (?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET comment_json = excluded.comment_json`,
      )
      .run(comment.id, comment.trialId, comment.replyTo, JSON.stringify(comment));
  }

  comment(id: string): ReviewComment | null {
    const row = this.#database
      .prepare<[string], { comment_json: string }>('SELECT comment_json FROM review_comments WHERE id = ?')
      .get(id);
    return row === undefined ? null : ReviewComment.parse(JSON.parse(row.comment_json));
  }

  /** Oldest first. */
  ofTrial(trialId: string): ReviewComment[] {
    return this.#rows('trial_id', trialId);
  }

  /** The answers to a comment, oldest first. */
  replies(id: string): ReviewComment[] {
    return this.#rows('reply_to', id);
  }

  /** With its replies. */
  remove(id: string): void {
    this.#database.prepare('DELETE FROM review_comments WHERE id = ?').run(id);
  }

  #rows(column: 'trial_id' | 'reply_to', value: string): ReviewComment[] {
    return this.#database
      .prepare<[string], { comment_json: string }>(
        `SELECT comment_json FROM review_comments WHERE ${column} = ? ORDER BY rowid`,
      )
      .all(value)
      .map(row => ReviewComment.parse(JSON.parse(row.comment_json)));
  }
}
