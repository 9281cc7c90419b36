import type { SearchHit } from '../../../protocol/sessions.ts';
import { matchingTexts, phrasesOf } from '../search/wordMatch.ts';
import { isRecorded } from '../sessions/sessionNamed.ts';
import type { TraceStore } from '../store.ts';
import type { CodexSessionFiles } from './codexSessionFiles.ts';

/** There is no index of these files: they are read, so not all of them. */
const maxFiles = 100;

export interface FileSearch {
  readonly store: TraceStore;
  readonly files: CodexSessionFiles;
  readonly words: string;
  readonly limit: number;
}

/** Sessions that only Codex's own files know, newest first, in which all the words were said at once: one hit each. */
export async function searchCodexFiles(
  { store, files, words, limit }: FileSearch,
  signal: AbortSignal,
): Promise<SearchHit[]> {
  const phrases = phrasesOf(words);
  const wanted = phrases.flat().map(folded);
  const hits: SearchHit[] = [];
  if (wanted.length === 0) return hits;
  for (const file of (await files.list()).slice(0, maxFiles)) {
    signal.throwIfAborted();
    if (hits.length >= limit) break;
    if (isRecorded(store, file.id)) continue;
    const { session, said } = await files.said(
      file,
      // As in what is recorded: the program's own instructions were not said in the session.
      ({ kind, text }) => kind !== 'system' && holdsAll(folded(text), wanted),
    );
    const [best] = matchingTexts(
      said.map(({ text }, index) => [index, text]),
      phrases,
      1,
    );
    const item = said[best?.id ?? -1];
    if (best === undefined || item === undefined) continue;
    const { id: sessionId, title, endedAt: at } = session;
    hits.push({ sessionId, exchangeId: item.exchangeId, title, at, snippet: best.snippet });
  }
  return hits;
}

/** As the full-text search reads a text: neither case nor accents count. Only by way of both cases do ς and σ meet. */
function folded(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .toUpperCase();
}

function holdsAll(text: string, words: readonly string[]): boolean {
  return words.every(word => text.includes(word));
}
