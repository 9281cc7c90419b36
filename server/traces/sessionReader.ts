import type { ConversationItem, Exchange, SessionSummary } from '../../protocol/sessions.ts';
import type { WholeExchange } from './store.ts';

/** What exports and summaries read of a session, wherever it comes from. */
export interface SessionReader {
  /** @throws CoachError `session.missing` */
  requireSession(sessionId: string): SessionSummary;
  /** Oldest first. */
  exchangesOfSession(sessionId: string): Exchange[];
  /** What the exchanges add up to, each item once. */
  conversation(sessionId: string): ConversationItem[];
  /** The program that spoke, such as `codex_exec/0.169.0 (…)`; null when it did not say. */
  userAgent(sessionId: string): string | null;
  /** With request and reply; null where they were not recorded. */
  wholeExchange(exchangeId: string): WholeExchange | null;
}
