import { join } from 'node:path';
import type { ConversationItem, SessionSummary } from '../../../protocol/sessions.ts';
import { codexHome } from '../../base/codexHome.ts';
import type { Redactor } from '../redaction/redaction.ts';
import type { SessionReader } from '../sessions/sessionReader.ts';
import type { CodexSession } from './codexSession.ts';
import { linesOf } from './lines.ts';
import { isOfNoUse } from './records.ts';
import { type CodexSessionFile, sessionFilesBelow } from './sessionFilesBelow.ts';

export type { CodexSessionFile };

/** As much of a file as is read to begin with: some dozen exchanges, within a few milliseconds. */
const openingBytes = 512 * 1024;

/** Summaries kept in memory, newest used. */
const keptSummaries = 5000;

/**
 * Where Codex keeps its sessions: CODEX_TRACE_HOME (such a directory, or a CODEX_HOME), else $CODEX_HOME, else ~/.codex.
 */
export function codexSessionDirectories(env: NodeJS.ProcessEnv, traceHome: string): string[] {
  const home = traceHome || codexHome(env);
  const own = [join(home, 'sessions'), join(home, 'archived_sessions')];
  return traceHome === '' ? own : [traceHome, ...own];
}

export interface CodexFilesOptions {
  /** Ids of sessions that are none although there is a file: what a recording answered, see `TraceStore`. */
  readonly leftOut?: () => ReadonlySet<string>;
  /** Reads a file for its summary somewhere else, see `reader/`; else that happens in this thread. */
  readonly summarise?: (file: CodexSessionFile) => Promise<SessionSummary>;
}

/** Codex's own session files. They are only read, and their texts redacted before anyone sees them. */
export class CodexSessionFiles {
  readonly #directories: readonly string[];
  readonly #redactor: Redactor;
  readonly #leftOut: () => ReadonlySet<string>;
  readonly #summarise: (file: CodexSessionFile) => Promise<SessionSummary>;
  readonly #summaries = new Map<string, { stamp: string; summary: SessionSummary }>();

  constructor(directories: readonly string[], redactor: Redactor, { leftOut, summarise }: CodexFilesOptions = {}) {
    this.#directories = directories;
    this.#redactor = redactor;
    this.#leftOut = leftOut ?? (() => new Set());
    this.#summarise = summarise ?? (async file => this.#redacted((await read(file)).summary));
  }

  /** All files, last written first; none where there is no Codex. */
  async list(): Promise<CodexSessionFile[]> {
    const found = new Map<string, CodexSessionFile>();
    const leftOut = this.#leftOut();
    for (const directory of this.#directories) {
      for (const file of await sessionFilesBelow(directory)) {
        if (leftOut.has(file.id)) continue;
        const known = found.get(file.id);
        // While Codex compresses a file, both are there for a moment.
        if (known === undefined || file.modifiedMs > known.modifiedMs) found.set(file.id, file);
      }
    }
    return [...found.values()].sort((a, b) => b.modifiedMs - a.modifiedMs || (a.id < b.id ? 1 : -1));
  }

  async summary(file: CodexSessionFile): Promise<SessionSummary> {
    const stamp = `${file.file} ${file.modifiedMs} ${file.sizeBytes}`;
    const kept = this.#summaries.get(file.id);
    if (kept?.stamp === stamp) return kept.summary;
    const summary = await this.#summarise(file);
    this.#summaries.delete(file.id);
    this.#summaries.set(file.id, { stamp, summary });
    const oldest = this.#summaries.keys().next();
    if (this.#summaries.size > keptSummaries && !oldest.done) this.#summaries.delete(oldest.value);
    return summary;
  }

  /** The session of this id, read whole; null when there is no such file. */
  async load(id: string): Promise<SessionReader | null> {
    const file = (await this.list()).find(each => each.id === id);
    return file === undefined ? null : this.#readerOf(await read(file));
  }

  /** The first exchanges of a session, whose sums are of no use where it goes on; null when there is no such file. */
  async loadOpening(id: string): Promise<{ reader: SessionReader; isWhole: boolean } | null> {
    const file = (await this.list()).find(each => each.id === id);
    if (file === undefined) return null;
    const session = await read(file, openingBytes);
    return { reader: this.#readerOf(session), isWhole: session.isWhole };
  }

  /** The commit that a session started at, as Codex wrote it down; null where it did not, or there is no such file. */
  async startCommit(id: string): Promise<string | null> {
    const file = (await this.list()).find(each => each.id === id);
    return file === undefined ? null : (await read(file)).startCommit;
  }

  /** What was said in a session and passes as it stands in the file. */
  async said(
    file: CodexSessionFile,
    passes: (item: ConversationItem) => boolean,
  ): Promise<{ session: SessionSummary; said: ConversationItem[] }> {
    const session = await read(file);
    const said = session.conversation.filter(passes);
    return {
      session: this.#redacted(session.summary),
      said: said.map(item => ({ ...item, text: this.#redactor.text(item.text) })),
    };
  }

  #readerOf(session: CodexSession): SessionReader {
    const summary = this.#redacted(session.summary);
    const conversation = session.conversation.map(item => redactedOnce(item, this.#redactor));
    return {
      snapshot: work => work(),
      requireSession: () => summary,
      exchangesOfSession: () => [...session.exchanges],
      conversation: () => conversation,
      userAgent: () => session.userAgent,
      reply: () => null,
    };
  }

  #redacted(summary: SessionSummary): SessionSummary {
    return { ...summary, title: this.#redactor.text(summary.title) };
  }
}

/** An item whose text is searched for secrets when it is asked for: in a long session few ever are. */
function redactedOnce({ text, ...item }: ConversationItem, redactor: Redactor): ConversationItem {
  let clean: string | null = null;
  return {
    ...item,
    get text() {
      clean ??= redactor.text(text);
      return clean;
    },
  };
}

/** Stops behind the line that reaches `maxBytes`, counted in characters that are read. */
async function read(file: CodexSessionFile, maxBytes = Infinity): Promise<CodexSession & { isWhole: boolean }> {
  // Loaded with the first file that is read: it brings the price list.
  const { CodexSessionBuilder } = await import('./codexSession.ts');
  const builder = new CodexSessionBuilder(file.id);
  let left = maxBytes;
  try {
    for await (const line of linesOf(file.file, isOfNoUse)) {
      builder.line(line);
      left -= line.length;
      if (left <= 0) break;
    }
  } catch {
    // Gone, or cut off in the middle of being written: what could be read stands.
  }
  return { ...builder.finish(), isWhole: left > 0 };
}
