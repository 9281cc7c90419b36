import type { ConversationItem } from '../../../../protocol/sessions.ts';
import { isPrompt } from '../../sessions/conversationId.ts';
import { readableInput } from '../../sessions/readableInput.ts';
import { filesEditedBy, reportsFailure } from '../../sessions/toolUse.ts';
import { toHtmlName, toHtmlText } from './text.ts';

/** Characters of the line that stands for a folded text. */
const headLength = 140;

export interface ItemContext {
  /** Outputs by their call. */
  readonly outputs: ReadonlyMap<ConversationItem, ConversationItem>;
  /** Outputs that stand with their call. */
  readonly withCall: ReadonlySet<ConversationItem>;
  readonly agent: string;
  /** How much of each text is shown, in (0,1]. */
  readonly share: number;
}

/** One piece of the conversation; empty for an output that stands with its call. */
export function itemHtml(item: ConversationItem, context: ItemContext): string {
  switch (item.kind) {
    case 'user':
      return isPrompt(item.text)
        ? spoken('You', item.text, 'you', context)
        : fold('note', 'Context', item.text, context);
    case 'assistant':
      return spoken(context.agent, item.text, 'agent', context);
    case 'reasoning':
      return fold('think', 'Reasoning', item.text, context);
    case 'toolCall':
      return toolCall(item, context);
    case 'toolOutput':
      return context.withCall.has(item) ? '' : fold('tool', 'Output', item.text, context);
    case 'system':
      return fold('note', 'Instructions', item.text, context);
    case 'other':
      return fold('note', 'Other', item.text, context);
  }
}

function spoken(who: string, text: string, kind: string, { share }: ItemContext): string {
  return `<div class="said ${kind}"><b>${toHtmlName(who)}</b><p>${toHtmlText(text.trim(), share)}</p></div>`;
}

function fold(kind: string, name: string, text: string, { share }: ItemContext): string {
  return `<details class="said ${kind}"><summary><b>${name}</b><span class="head">${head(text)}</span>${size(text)}</summary>
<pre>${toHtmlText(text.trim(), share)}</pre></details>`;
}

function toolCall(call: ConversationItem, { outputs, share }: ItemContext): string {
  const { toolName, text } = call;
  const output = outputs.get(call)?.text;
  const failed = output !== undefined && reportsFailure(output);
  const outcome = failed
    ? '<span class="bad">failed</span>'
    : output === undefined
      ? '<span class="dim">no output</span>'
      : '';
  const input = readableInput(text);
  return `<details class="said tool"><summary><b class="code">${toHtmlName(toolName ?? 'tool')}</b><span class="head code">${head(filesEditedBy(call).join(', ') || input)}</span>${outcome}${size(output ?? '')}</summary>
<pre>${patchHtml(toHtmlText(input, share))}</pre>${output === undefined ? '' : `<pre class="out">${toHtmlText(output, share)}</pre>`}</details>`;
}

/** Added and removed lines of a patch, told apart. Works on escaped text: signs stand first in their line either way. */
function patchHtml(escaped: string): string {
  if (!escaped.includes('*** Begin Patch')) return escaped;
  return escaped
    .split('\n')
    .map(line => (line.startsWith('+') ? `<ins>${line}</ins>` : line.startsWith('-') ? `<del>${line}</del>` : line))
    .join('\n');
}

function head(text: string): string {
  return toHtmlName(text.trimStart().split('\n', 1)[0] ?? '', headLength);
}

function size(text: string): string {
  if (text.length < 1000) return '';
  return `<span class="dim size">${Math.round(text.length / 1000).toLocaleString('en-US')} k characters</span>`;
}
