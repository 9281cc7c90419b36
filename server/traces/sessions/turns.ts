import type { ConversationItem } from '../../../protocol/sessions.ts';
import type { Utterance } from '../dialects/dialect.ts';
import { parseJson, stringAt } from '../json.ts';
import { ofTheModel } from '../storage/conversation.ts';
import { isPrompt } from './conversationId.ts';

/**
 * How often a person had their say. What stands together in a request is one turn: words, a picture, what was typed while
 * the agent worked. The history that a resumed session brings along has none, nor has what a model has a subagent do.
 */
export function turnsIn(conversation: readonly ConversationItem[]): number {
  const given = promptsOfTheModel(conversation);
  let turns = 0;
  for (const own of Map.groupBy(conversation, item => item.exchangeId).values()) {
    let isOpen = false;
    for (const { kind, text } of own.slice(historyOf(own))) {
      if (kind !== 'user' && kind !== 'system') isOpen = false;
      if (isOpen || kind !== 'user' || !isPrompt(text) || given.has(text)) continue;
      isOpen = true;
      turns++;
    }
  }
  return turns;
}

/** How many items of an exchange are history: up to the last words of the model that somebody answered. */
function historyOf(own: readonly ConversationItem[]): number {
  const isAnswered = (index: number) => ['user', 'toolOutput'].includes(own[index + 1]?.kind ?? '');
  return own.findLastIndex((item, index) => item.isCopied && isAnswered(index)) + 1;
}

/** What a person asks in a request, and not in the history that it brings along. */
export function promptOfTurn(said: readonly Utterance[]): string | null {
  let prompt: string | null = null;
  for (const { kind, text } of said.toReversed()) {
    if (prompt !== null && ofTheModel.has(kind)) break;
    if (kind === 'user' && isPrompt(text)) prompt = text;
  }
  return prompt;
}

/** Tools that start a subagent take what it is asked as their `prompt`. */
function promptsOfTheModel(conversation: readonly ConversationItem[]): ReadonlySet<string> {
  const calls = conversation.filter(({ kind, text }) => kind === 'toolCall' && text.includes('"prompt"'));
  return new Set(calls.flatMap(({ text }) => stringAt(parseJson(text), 'prompt') ?? []));
}
