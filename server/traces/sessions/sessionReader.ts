import type { ConversationItem, Exchange, SessionSummary } from '../../../protocol/sessions.ts';

/** What exports and summaries read of a session, wherever it comes from. */
export interface SessionReader {
  /** What `work` reads is of one moment, whatever is recorded or deleted meanwhile. It waits for nothing. */
  snapshot<T>(work: () => T): T;
  /** @throws CoachError `session.missing` */
  requireSession(sessionId: string): SessionSummary;
  /** Oldest first. */
  exchangesOfSession(sessionId: string): Exchange[];
  /** What the exchanges add up to, each item once. Takes a while for a long session: ask once. */
  conversation(sessionId: string): ConversationItem[];
  /** The program that spoke, such as `codex_exec/0.169.0 (…)`; null when it did not say. */
  userAgent(sessionId: string): string | null;
  /** What the model's API answered; null where it was not recorded. */
  reply(exchangeId: string): unknown;
}

export interface WholeSession {
  readonly session: SessionSummary;
  readonly exchanges: Exchange[];
  readonly conversation: ConversationItem[];
}

/**
 * A session as of one moment: its figures are those of its exchanges, and what was said is of these alone.
 * @throws CoachError `session.missing`
 */
export function wholeSession(reader: SessionReader, sessionId: string): WholeSession {
  return reader.snapshot(() => ({
    session: reader.requireSession(sessionId),
    exchanges: reader.exchangesOfSession(sessionId),
    conversation: reader.conversation(sessionId),
  }));
}
