import type { Utterance } from '../dialects/dialect.ts';
import { isPrompt } from './conversationId.ts';
import { firstPrompt } from './titleRequest.ts';

/** As Claude Code and opencode write it, Qwen Code and earlier versions of Gemini CLI, and Gemini CLI. The first of several. */
const named =
  /(?:^[ \t-]*(?:Primary |Current )?[Ww]orking directory:|I'm currently working in the (?:directory|following directories):(?:\n *-)?|\*\*Workspace Directories:\*\*\n *-) +((?:\/|[A-Za-z]:[\\/]|\\\\)[^\r\n]*)/m;

const keptSessions = 1000;

/** Where agents say that they work. What an agent says first in a session stays. */
export class AgentDirectories {
  /** Sessions whose directory was said, and those whose agents write down none where they write down a prompt. */
  readonly #known = new Map<string, 'said' | 'unwritten'>();
  readonly #isPlaced: (sessionId: string) => boolean;

  /** `isPlaced`: whether a session is stored with a prompt and a directory, as by a server before this one. */
  constructor(isPlaced: (sessionId: string) => boolean) {
    this.#isPlaced = isPlaced;
  }

  /** What `own` or else the words of a request say; null where they do not, or it was said before. */
  said(sessionId: string, own: string | null, words: readonly Utterance[]): string | null {
    const known = this.#known.get(sessionId) ?? this.#stored(sessionId);
    if (known === 'said' || (known === 'unwritten' && own === null)) return null;
    const directory = own ?? agentDirectory(words) ?? null;
    if (directory !== null) this.#keep(sessionId, 'said');
    else if (firstPrompt(words) !== null) this.#keep(sessionId, 'unwritten');
    return directory;
  }

  /** These sessions are gone. */
  forget(sessionIds: Iterable<string>): void {
    for (const id of sessionIds) this.#known.delete(id);
  }

  /** What was said may not have been stored. */
  clear(): void {
    this.#known.clear();
  }

  /** Its agent had its say before the prompt. */
  #stored(sessionId: string): 'said' | undefined {
    if (!this.#isPlaced(sessionId)) return undefined;
    this.#keep(sessionId, 'said');
    return 'said';
  }

  #keep(sessionId: string, what: 'said' | 'unwritten'): void {
    if (this.#known.size >= keptSessions) this.#known.clear();
    this.#known.set(sessionId, what);
  }
}

/** The directory that an agent's program names before the first prompt: null at a prompt, undefined where neither is. */
export function agentDirectory(said: Iterable<Utterance>): string | null | undefined {
  for (const { kind, text } of said) {
    if (kind === 'user' && isPrompt(text)) return null;
    const directory = kind === 'system' || kind === 'user' ? named.exec(text)?.[1] : undefined;
    if (directory !== undefined) return directory.trimEnd();
  }
  return undefined;
}
