import type { ConversationItem, SearchHit } from '../../protocol/sessions.ts';
import { toIso } from '../base/clock.ts';
import type { Sqlite } from '../base/sqlite.ts';
import { type StoredExchange, StoredParts, storedColumns } from './storedParts.ts';
import { matchingTexts, phrasesOf, toMatch } from './wordMatch.ts';

/** The newest matches that are looked at more closely: ranked, searched for phrases, shown in part. */
const maxCandidates = 300;

interface Candidate extends StoredExchange {
  readonly id: number;
  readonly kind: ConversationItem['kind'];
  readonly key: number;
  readonly session_id: string;
  readonly exchange_id: string;
  readonly title: string;
  readonly ts_ms: number;
}

/**
 * What was said with all these words, best first; words between quotation marks stand together. The stored index knows
 * only which words occur where, which keeps it small; phrases, ranks and snippets come from the texts themselves, for
 * the newest matches.
 */
export function searchSaid(database: Sqlite, words: string, limit: number): SearchHit[] {
  const phrases = phrasesOf(words);
  if (phrases.length === 0) return [];
  const candidates = database
    .prepare(
      `SELECT said.id, said.kind, said.key, session_id, exchanges.id AS exchange_id, title, ts_ms,
         ${storedColumns}
       FROM (SELECT rowid AS id FROM said_text WHERE said_text MATCH ? ORDER BY rowid DESC LIMIT ${maxCandidates}) AS hits
       JOIN said USING (id)
       JOIN exchanges ON exchanges.seq = said.exchange_seq
       JOIN sessions ON sessions.id = session_id`,
    )
    .all(toMatch(phrases.flat().map(token => [token]))) as Candidate[];
  return ranked(database, candidates, phrases, limit);
}

function ranked(
  database: Sqlite,
  candidates: readonly Candidate[],
  phrases: readonly (readonly string[])[],
  limit: number,
): SearchHit[] {
  const parts = new StoredParts(database);
  const byId = new Map(candidates.map(candidate => [candidate.id, candidate]));
  const texts = candidates.map(
    candidate => [candidate.id, parts.textOf(candidate, candidate.kind, candidate.key)] as const,
  );
  return matchingTexts(texts, phrases, limit).flatMap(({ id, snippet }) => {
    const found = byId.get(id);
    if (found === undefined) return [];
    const { session_id: sessionId, exchange_id: exchangeId, title, ts_ms } = found;
    return [{ sessionId, exchangeId, title: title || 'Untitled session', at: toIso(ts_ms), snippet }];
  });
}
