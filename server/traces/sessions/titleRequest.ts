import type { Utterance } from '../dialects/dialect.ts';
import type { SpokenExchange, SpokenPart } from '../storage/conversation.ts';
import { asksForTitle, isPrompt } from './conversationId.ts';

function isForTitle(said: readonly Utterance[]): boolean {
  const first = said.find(({ kind }) => kind === 'user');
  return first !== undefined && asksForTitle(first.text);
}

/** What a person asks first in a request; null where its program asks by itself. */
export function firstPrompt(said: readonly Utterance[]): string | null {
  if (isForTitle(said)) return null;
  return said.find(({ kind, text }) => kind === 'user' && isPrompt(text))?.text ?? null;
}

/** A request for a title as what it is: all in it is said by the program, and nobody goes on from it. */
export function titleAside(spoken: SpokenExchange): SpokenExchange {
  const { list } = spoken;
  return list === null || list.before !== null || !isForTitle(list.said) ? spoken : { ...spoken, list: aside(list) };
}

function aside({ said }: SpokenPart): SpokenPart {
  return { before: null, said: said.map(item => (item.kind === 'user' ? { ...item, kind: 'system' } : item)) };
}
