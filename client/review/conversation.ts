import type { ConversationItem } from '../../protocol/sessions.ts';

const speakers: Readonly<Record<ConversationItem['kind'], string>> = {
  system: 'System',
  user: 'User',
  assistant: 'Agent',
  reasoning: 'Reasoning',
  toolCall: 'Tool call',
  toolOutput: 'Tool output',
  other: 'Other',
};

/**
 * A recorded conversation to read: what was said first, the system texts, which are long and always the same, last.
 * Recorded text goes into fences longer than any in it, so nothing in it is rendered.
 */
export function toMarkdown(title: string, conversation: readonly ConversationItem[]): string {
  const said = conversation.filter(item => item.kind !== 'system');
  const system = conversation.filter(item => item.kind === 'system');
  return [`# ${title.replaceAll('\n', ' ')}\n`, ...[...said, ...system].map(toSection)].join('\n');
}

function toSection({ kind, text, toolName }: ConversationItem): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(run => run.length));
  const fence = '`'.repeat(longest + 1);
  return `## ${speakers[kind]}${toolName === null ? '' : `: ${toolName}`}\n\n${fence}text\n${text}\n${fence}\n`;
}
