import type { ConversationItem } from '../../protocol/sessions.ts';
import { visible } from '../../protocol/visibleText.ts';

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
 * Recorded text goes into fences longer than any in it, and what stands in a heading is escaped, so nothing in it is
 * rendered.
 */
export function toMarkdown(title: string, conversation: readonly ConversationItem[]): string {
  const said = conversation.filter(item => item.kind !== 'system');
  const system = conversation.filter(item => item.kind === 'system');
  return [`# ${escaped(title)}\n`, ...[...said, ...system].map(toSection)].join('\n');
}

function toSection({ kind, text, toolName }: ConversationItem): string {
  const shown = visible(text);
  const longest = Math.max(2, ...(shown.match(/`+/g) ?? []).map(run => run.length));
  const fence = '`'.repeat(longest + 1);
  const heading = toolName === null ? speakers[kind] : `${speakers[kind]}: ${escaped(toolName)}`;
  return `## ${heading}\n\n${fence}text\n${shown}\n${fence}\n`;
}

/** What Markdown would make something of. An underscore within a word stays one. */
const signs = /[\\`*[\]<>&~|#!]|(?<![\p{L}\p{N}_])_+|_+(?![\p{L}\p{N}_])/gu;

/** A text as a line of Markdown that says just that. */
function escaped(text: string): string {
  const line = visible(text).replaceAll(/\s+/g, ' ').trim();
  return line.replaceAll(signs, found => found.replaceAll(/./g, '\\$&'));
}
