import { hash, randomBytes } from 'node:crypto';
import type { SleepLog } from '../../base/sleep.ts';
import type { Utterance } from '../dialects/dialect.ts';
import { callOf } from './conversation.ts';

/** The session that a source was last recorded under, and when that ended (epoch ms). */
export interface LatestSession {
  readonly id: string;
  readonly lastMs: number;
}

/** What one exchange says; asked for where it matters. */
export interface ExchangeWords {
  asked(): readonly Utterance[];
  answered(): readonly Utterance[];
}

export interface SessionClockDeps {
  /** What an earlier process recorded of this source; null for nothing. */
  readonly latest: (source: string) => LatestSession | null;
  readonly sleep: Pick<SleepLog, 'awakeMs'>;
}

/** An id that we gave. */
export const ownId = /^\d{8}T\d{6}-[0-9a-f]{8}$/;

const wordless: ExchangeWords = { asked: () => [], answered: () => [] };

/** A conversation that goes on repeats some of so many that were said last. */
const keptReplies = 32;

interface CurrentSession extends LatestSession {
  /** Hashes of what the model said last. */
  readonly replies: ReadonlySet<string>;
}

/**
 * Sessions of agents that name no conversation: one per source until it has been silent, and awake, for `idleMs`. A
 * request that repeats what the model said before the silence goes on with the session all the same.
 */
export class SessionClock {
  readonly #idleMs: number;
  readonly #deps: SessionClockDeps;
  readonly #current = new Map<string, CurrentSession>();

  constructor(idleMs: number, deps: SessionClockDeps) {
    this.#idleMs = idleMs;
    this.#deps = deps;
  }

  /** The session that an exchange from `startedMs` to `endedMs` (epoch) of this source belongs to. */
  at(source: string, startedMs: number, endedMs: number, words = wordless): string {
    const current = this.#current.get(source) ?? this.#earlier(source);
    const wasSilent = current === null || this.#deps.sleep.awakeMs(current.lastMs, startedMs) >= this.#idleMs;
    const goesOn = current !== null && (!wasSilent || repeats(words.asked(), current.replies));
    const id = goesOn ? current.id : sessionIdAt(startedMs);
    const replies = [...(goesOn ? current.replies : []), ...words.answered().flatMap(hashOf)];
    // Exchanges are told of as they end: one that ends before the last did comes from a clock that was set back.
    this.#current.set(source, { id, lastMs: endedMs, replies: new Set(replies.slice(-keptReplies)) });
    return id;
  }

  #earlier(source: string): CurrentSession | null {
    const latest = this.#deps.latest(source);
    return latest !== null && ownId.test(latest.id) ? { ...latest, replies: new Set() } : null;
  }
}

/** A compressed history repeats a reply as its summary. What a person says may be the same by chance. */
function repeats(asked: readonly Utterance[], replies: ReadonlySet<string>): boolean {
  return replies.size > 0 && asked.some(said => said.kind !== 'user' && hashOf(said).some(one => replies.has(one)));
}

/** Of what is said, if anything, and of a call without its id: the agent may give it one. */
function hashOf(said: Utterance): string[] {
  const content = said.kind === 'toolCall' ? callOf(said) : said.text;
  return content === '' ? [] : [hash('sha256', content, 'base64')];
}

function sessionIdAt(epochMs: number): string {
  const time = new Date(epochMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `${time}-${randomBytes(4).toString('hex')}`;
}
