import type { ConversationItem, SearchHit } from '../../protocol/sessions.ts';
import { toIso } from '../base/clock.ts';
import { openInMemory, type Sqlite } from '../base/sqlite.ts';
import { type StoredExchange, StoredParts, storedColumns } from './storedParts.ts';

/** The newest matches that are looked at more closely: ranked, searched for phrases, shown in part. */
const maxCandidates = 300;
const snippetTokens = 24;

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
  return ranked(database, candidates, toMatch(phrases), limit);
}

function ranked(database: Sqlite, candidates: readonly Candidate[], match: string, limit: number): SearchHit[] {
  const parts = new StoredParts(database);
  const texts = openInMemory();
  try {
    texts.exec("CREATE VIRTUAL TABLE texts USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2')");
    const put = texts.prepare('INSERT INTO texts (rowid, text) VALUES (?, ?)');
    for (const candidate of candidates) {
      put.run(candidate.id, parts.textOf(candidate, candidate.kind, candidate.key));
    }
    const byId = new Map(candidates.map(candidate => [candidate.id, candidate]));
    const best = texts
      .prepare(
        `SELECT rowid AS id, snippet(texts, 0, '«', '»', '…', ${snippetTokens}) AS snippet
         FROM texts WHERE texts MATCH ? ORDER BY rank, rowid DESC LIMIT ?`,
      )
      .all(match, limit) as { id: number; snippet: string }[];
    return best.flatMap(({ id, snippet }) => {
      const found = byId.get(id);
      if (found === undefined) return [];
      const { session_id: sessionId, exchange_id: exchangeId, title, ts_ms } = found;
      return [{ sessionId, exchangeId, title: title || 'Untitled session', at: toIso(ts_ms), snippet }];
    });
  } finally {
    texts.close();
  }
}

/** Each word, or quoted run of words, as the tokens that SQLite's unicode61 makes of it. */
function phrasesOf(words: string): string[][] {
  return [...words.matchAll(/"([^"]*)"|[^\s"]+/g)]
    .map(([whole, quoted]) => (quoted ?? whole).match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu) ?? [])
    .filter(tokens => tokens.length > 0);
}

function toMatch(phrases: readonly (readonly string[])[]): string {
  return phrases.map(tokens => `"${tokens.join(' ')}"`).join(' AND ');
}
