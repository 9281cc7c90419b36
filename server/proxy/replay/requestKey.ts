import { hash } from 'node:crypto';
import type { NormalisedRequest } from './conversationKey.ts';

/**
 * Hashes of lines one after the other, each of its line and of all before it: two that are the same in one place are the
 * same up to there. What goes on from another shares it.
 */
export interface Trail {
  readonly before: Trail | null;
  readonly hashes: readonly string[];
  /** Of all lines. */
  readonly length: number;
  /** The last hash; empty without lines. */
  readonly end: string;
}

/** What of a request decides which answer fits it, in a size that does not grow with the conversation. */
export interface RequestKey {
  readonly operation: string;
  readonly offersTools: boolean;
  readonly said: Trail;
  /** Of what the agent's program wrote. */
  readonly context: string;
}

const noLines: Trail = { before: null, hashes: [], length: 0, end: '' };

/** The trail that goes on with these lines. */
export function trailOf(lines: readonly string[], before: Trail = noLines): Trail {
  let { end } = before;
  const hashes = lines.map(line => {
    end = hash('sha256', `${end}\n${line}`, 'base64');
    return end;
  });
  return { before, hashes, length: before.length + hashes.length, end };
}

/** @param before of the context before the conversation; @param within of that in it */
export function contextKey(before: Trail, within: Trail): string {
  return `${before.end} ${within.end}`;
}

export function keyOf({ operation, offersTools, said, context }: NormalisedRequest): RequestKey {
  const key = contextKey(trailOf(context.before), trailOf(context.within));
  return { operation, offersTools, said: trailOf(said), context: key };
}

/** How many lines two trails have in common from their begin. `other` is all in one piece. */
export function sharedLength(trail: Trail, other: Trail): number {
  for (let part: Trail | null = trail; part !== null; part = part.before) {
    const from = part.length - part.hashes.length;
    for (let index = part.hashes.length - 1; index >= 0; index--) {
      if (part.hashes[index] === other.hashes[from + index]) return from + index + 1;
    }
  }
  return 0;
}
