import type { ConversationItem } from '../../../../protocol/sessions.ts';
import { parseJson } from '../../json.ts';
import { wellFormed } from '../wellFormed.ts';

type Part = { readonly type: string; readonly [field: string]: unknown };

/**
 * What an exchange added to the conversation, in the JSON that the GenAI conventions give for messages. They want to know
 * of a reply why it ended: `finishReason`, or where that is null, what it holds says so.
 */
export function toMessages(
  said: readonly ConversationItem[],
  finishReason: string | null,
): {
  instructions: string | null;
  inputMessages: string | null;
  outputMessages: string | null;
} {
  const of = (...kinds: ConversationItem['kind'][]) => said.filter(item => kinds.includes(item.kind));
  const input = said
    .filter(item => item.isCopied || item.kind === 'user' || item.kind === 'toolOutput')
    .map(item => ({ role: roleOf(item), parts: [toPart(item)] }));
  const output = of('assistant', 'reasoning', 'toolCall').filter(item => !item.isCopied);
  const implied = output.some(item => item.kind === 'toolCall') ? 'tool_call' : 'stop';
  const reply = { role: 'assistant', parts: output.map(toPart), finish_reason: finishReason ?? implied };
  return {
    instructions: textOrNull(of('system').map(toPart)),
    inputMessages: textOrNull(input),
    outputMessages: output.length === 0 ? null : JSON.stringify(wellFormed([reply])),
  };
}

function roleOf({ kind, isCopied }: ConversationItem): string {
  if (isCopied) return 'assistant';
  return kind === 'user' ? 'user' : 'tool';
}

function textOrNull(list: readonly object[]): string | null {
  return list.length === 0 ? null : JSON.stringify(wellFormed(list));
}

function toPart({ kind, text, callId, toolName }: ConversationItem): Part {
  switch (kind) {
    case 'toolCall':
      return { type: 'tool_call', id: callId, name: toolName ?? 'unknown', arguments: parseJson(text) ?? text };
    case 'toolOutput':
      return { type: 'tool_call_response', id: callId, response: text };
    case 'reasoning':
      return { type: 'reasoning', content: text };
    default:
      return { type: 'text', content: text };
  }
}
