import type { ConversationItem, ConversationLine, Exchange, LineKind } from '../../../protocol/sessions.ts';
import { cut, shownLength } from '../exports/html/text.ts';
import { beginningOf } from './beginning.ts';
import { isPrompt } from './conversationId.ts';
import { readableInput } from './readableInput.ts';
import { pairOutputs } from './toolOutputs.ts';
import { reportsFailure } from './toolUse.ts';
import { touchedFiles } from './touchedFiles.ts';

/** Characters at the beginning of what was said, and of the line that stands for anything else. */
const saidLength = 2000;
const headLength = 200;

interface Line {
  readonly kind: LineKind;
  readonly item: ConversationItem;
  /** What the tool answered. Texts are asked for late: see `CodexSessionFiles`. */
  readonly output: ConversationItem | null;
}

/** A conversation as lines: by exchange, and a tool's output with its call. */
export class SessionLines {
  readonly #lines: readonly Line[];
  readonly outline: readonly { exchangeId: string; kinds: LineKind[] }[];

  constructor(exchanges: readonly Exchange[], items: readonly ConversationItem[]) {
    const ofExchange = Map.groupBy(toLines(items), line => line.item.exchangeId);
    const groups = exchanges.map(({ id }) => ({ id, lines: ofExchange.get(id) ?? [] }));
    this.#lines = groups.flatMap(group => group.lines);
    this.outline = groups.map(({ id, lines }) => ({ exchangeId: id, kinds: lines.map(line => line.kind) }));
  }

  /** Fewer than asked for at the end. */
  page(from: number, limit: number): ConversationLine[] {
    return this.#lines.slice(from, from + limit).map((line, index) => describe(line, from + index));
  }

  /** Null when there is no such line. */
  text(number: number, whole: boolean): { text: string; output: string | null; isCut: boolean } | null {
    const line = this.#lines[number];
    if (line === undefined) return null;
    const text = line.kind === 'tool' ? readableInput(line.item.text) : line.item.text;
    const answer = line.output?.text ?? null;
    if (whole) return { text, output: answer, isCut: false };
    const shown = cut(text, shownLength);
    const output = answer === null ? null : cut(answer, shownLength);
    return { text: shown, output, isCut: shown !== text || output !== answer };
  }

  /** Numbers of the lines that hold a text, without regard to case. */
  find(text: string): number[] {
    const wanted = new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'iu');
    return this.#lines.flatMap(({ item, output }, number) =>
      wanted.test(item.text) || (output !== null && wanted.test(output.text)) ? [number] : [],
    );
  }
}

function toLines(items: readonly ConversationItem[]): Line[] {
  const outputs = pairOutputs(items);
  const withCall = new Set(outputs.values());
  return items
    .filter(item => !withCall.has(item))
    .map(item => ({ kind: kindOf(item), item, output: outputs.get(item) ?? null }));
}

function kindOf(item: ConversationItem): LineKind {
  switch (item.kind) {
    case 'user':
      return isPrompt(item.text) ? 'prompt' : 'context';
    case 'system':
      return 'instructions';
    case 'toolCall':
      return 'tool';
    case 'toolOutput':
      return 'output';
    case 'assistant':
    case 'reasoning':
    case 'other':
      return item.kind;
  }
}

function describe({ kind, item, output }: Line, number: number): ConversationLine {
  const isTool = kind === 'tool';
  const said = kind === 'prompt' || kind === 'assistant';
  const text = isTool ? readableInput(item.text) : item.text.trim();
  return {
    number,
    kind,
    toolName: item.toolName,
    text: said ? beginningOf(text, saidLength) : beginningOf(text.split('\n', 1)[0] ?? '', headLength),
    length: text.length,
    outputLength: output?.text.length ?? null,
    failed: output !== null && reportsFailure(output.text),
    files: isTool ? touchedFiles(item) : [],
  };
}
