import { CoachError } from '../../../protocol/errors.ts';
import type { ConversationItem, SearchHit } from '../../../protocol/sessions.ts';
import { toIso } from '../../base/clock.ts';
import { type Sqlite, storageFault } from '../../base/sqlite.ts';
import { type StoredExchange, StoredParts, storedColumns } from '../storage/storedParts.ts';
import { matchingTexts, phrasesOf, toMatch } from './wordMatch.ts';

/** Matches that are looked at more closely at a time, the newest first: ranked, searched for phrases, shown in part. */
const maxCandidates = 300;

type Texts = ReturnType<StoredParts['textsOf']>;

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
 * only which words occur where, which keeps it small; phrases, ranks and snippets come from the texts themselves. Those
 * are read from the newest on, in steps of about 20 ms, until there are enough hits.
 * @throws CoachError `input.invalid` where no word is among the words
 */
export function* searchSaid(database: Sqlite, words: string, limit: number): Generator<void, SearchHit[]> {
  const phrases = phrasesOf(words);
  if (phrases.length === 0) throw wordless();
  const hits: SearchHit[] = [];
  const match = toMatch(phrases.flat().map(token => [token]));
  for (let before = Number.MAX_SAFE_INTEGER; hits.length < limit; ) {
    const candidates = candidatesBefore(database, match, before);
    if (candidates.length === 0) break;
    hits.push(...ranked(database, candidates, phrases, limit - hits.length));
    before = Math.min(...candidates.map(({ id }) => id));
    yield;
  }
  return hits;
}

function wordless(): CoachError {
  return new CoachError('input.invalid', 'There is no word in that to look for.', {
    hint: 'Give a word of letters or digits: signs and emoji can’t be searched for.',
  });
}

function candidatesBefore(database: Sqlite, match: string, before: number): Candidate[] {
  return database
    .prepare(
      `SELECT said.id, said.kind, said.key, session_id, exchanges.id AS exchange_id, title, ts_ms,
         ${storedColumns}
       FROM (
         SELECT rowid AS id FROM said_text WHERE said_text MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ${maxCandidates}
       ) AS hits
       JOIN said USING (id)
       JOIN exchanges ON exchanges.seq = said.exchange_seq
       JOIN sessions ON sessions.id = session_id`,
    )
    .all(match, before) as Candidate[];
}

function ranked(
  database: Sqlite,
  candidates: readonly Candidate[],
  phrases: readonly (readonly string[])[],
  limit: number,
): SearchHit[] {
  const parts = new StoredParts(database);
  const byId = new Map(candidates.map(candidate => [candidate.id, candidate]));
  const ofExchanges = new Map<string, Texts>();
  const texts = candidates.map(candidate => {
    const { id, exchange_id } = candidate;
    const ofExchange = ofExchanges.get(exchange_id) ?? parts.textsOf(candidate);
    ofExchanges.set(exchange_id, ofExchange);
    return [id, textOf(candidate, ofExchange)] as const;
  });
  return matchingTexts(texts, phrases, limit).flatMap(({ id, snippet }) => {
    const found = byId.get(id);
    if (found === undefined) return [];
    const { session_id: sessionId, exchange_id: exchangeId, title, ts_ms } = found;
    return [{ sessionId, exchangeId, title: title || 'Untitled session', at: toIso(ts_ms), snippet }];
  });
}

/** Null for what is not as it was written: the other matches can be shown. */
function textOf({ kind, key }: Candidate, ofExchange: Texts): string | null {
  try {
    return ofExchange(kind, key);
  } catch (error) {
    if (storageFault(error) !== null) throw error;
    return null;
  }
}
