import type { SearchHit } from '../../../protocol/sessions.ts';
import type { TraceStore } from '../store.ts';
import type { CodexSessionFiles } from './codexSessionFiles.ts';

/** There is no index of these files: they are read, so not all of them. */
const maxFiles = 100;
const shownBefore = 60;
const shownLength = 200;

export interface FileSearch {
  readonly store: TraceStore;
  readonly files: CodexSessionFiles;
  readonly words: readonly string[];
  readonly limit: number;
}

/** Sessions that only Codex's own files know, newest first, in which all the words were said at once: one hit each. */
export async function searchCodexFiles(
  { store, files, words, limit }: FileSearch,
  signal: AbortSignal,
): Promise<SearchHit[]> {
  const wanted = words.flatMap(word => word.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? []);
  const hits: SearchHit[] = [];
  if (wanted.length === 0) return hits;
  for (const file of (await files.list()).slice(0, maxFiles)) {
    signal.throwIfAborted();
    if (hits.length >= limit) break;
    if (store.session(file.id) !== null) continue;
    const found = await files.firstSaid(file, wanted);
    if (found === null) continue;
    const { session, item } = found;
    hits.push({
      sessionId: session.id,
      exchangeId: item.exchangeId,
      title: session.title,
      at: session.endedAt,
      snippet: snippetOf(item.text, wanted),
    });
  }
  return hits;
}

/** Letters and digits only: nothing in it has a meaning in a pattern. */
function snippetOf(text: string, words: readonly string[]): string {
  const pattern = new RegExp(words.join('|'), 'giu');
  const from = Math.max(0, text.search(pattern) - shownBefore);
  const part = text.slice(from, from + shownLength).replace(pattern, '«$&»');
  return `${from > 0 ? '…' : ''}${part}${from + shownLength < text.length ? '…' : ''}`;
}
