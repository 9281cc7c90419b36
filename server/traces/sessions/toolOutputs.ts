import type { ConversationItem } from '../../../protocol/sessions.ts';

/**
 * The output of each call that has one, by the call. An id names the call; where the call or the output has none, the
 * tool's name does, and without that their order. Of several calls that are meant alike, the oldest has the output.
 */
export function pairOutputs(items: readonly ConversationItem[]): ReadonlyMap<ConversationItem, ConversationItem> {
  const outputs = new Map<ConversationItem, ConversationItem>();
  const open = new Map<string, Set<ConversationItem>>();
  for (const item of items) {
    if (item.kind === 'toolCall') {
      for (const key of keysOfCall(item)) openAs(key, item, open);
    } else if (item.kind === 'toolOutput') {
      const call = keysOfOutput(item).flatMap(key => oldest(open.get(key)) ?? [])[0];
      if (call === undefined) continue;
      outputs.set(call, item);
      for (const key of keysOfCall(call)) open.get(key)?.delete(call);
    }
  }
  return outputs;
}

/** What an earlier reply left open stays so: an API takes the next request only with the outputs of all its calls. */
function openAs(key: string, call: ConversationItem, open: Map<string, Set<ConversationItem>>): void {
  const others = open.get(key);
  const before = oldest(others);
  if (before?.exchangeId === call.exchangeId && before.isCopied === call.isCopied) others?.add(call);
  else open.set(key, new Set([call]));
}

function oldest(calls: ReadonlySet<ConversationItem> = new Set()): ConversationItem | undefined {
  const [first] = calls;
  return first;
}

function keysOfCall({ callId, toolName }: ConversationItem): string[] {
  return [callId === null ? `no id ${toolName}` : `id ${callId}`, `tool ${toolName}`, 'any'];
}

/** Where to look for its call, the surest first. An id of the client's own can only be of a call without one. */
function keysOfOutput({ callId, toolName }: ConversationItem): string[] {
  if (callId === null) return [toolName === null ? 'any' : `tool ${toolName}`];
  return [`id ${callId}`, ...(toolName === null ? [] : [`no id ${toolName}`])];
}
