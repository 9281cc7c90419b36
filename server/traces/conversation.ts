import type { ConversationItem } from '../../protocol/sessions.ts';
import type { Utterance } from './dialects/dialect.ts';
import { dialectNamed } from './dialects/index.ts';
import type { WholeExchange } from './store.ts';

/**
 * What exchanges add up to. Every request repeats the conversation so far, so an item counts only where it does not
 * follow, in order, from what is there already; a compacted history adds its summary and nothing else.
 */
export function toConversation(exchanges: Iterable<WholeExchange>): ConversationItem[] {
  const items: ConversationItem[] = [];
  const keys: string[] = [];
  for (const { exchange, request, response } of exchanges) {
    const dialect = dialectNamed(exchange.dialect);
    if (dialect === null) continue;
    const add = (said: Utterance) => {
      items.push({ exchangeId: exchange.id, ...said });
      keys.push(keyOf(said));
    };
    const known = keys.length;
    let from = 0;
    for (const said of dialect.asked(request)) {
      const at = keys.indexOf(keyOf(said), from);
      if (at >= 0 && at < known) from = at + 1;
      else add(said);
    }
    dialect.answered(response).forEach(add);
  }
  return items;
}

/** Calls and outputs are known by their id; the agent may write their text anew, with other spaces or escapes. */
export function keyOf({ kind, callId, text }: Utterance): string {
  return callId === null ? `${kind}\n${text}` : `${kind}\n#${callId}`;
}
