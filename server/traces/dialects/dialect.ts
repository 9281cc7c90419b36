import type { ConversationItem, Dialect } from '../../../protocol/sessions.ts';
import type { Usage } from '../../../protocol/usage.ts';
import { stringAt } from '../json.ts';

/** What a model answered, put together from a stream or a whole body. */
export interface Reply {
  /** The answer as the API would have sent it in one piece. Null when nothing came. */
  readonly json: unknown;
  readonly id: string | null;
  readonly model: string | null;
  readonly usage: Usage;
  /** Input tokens written to the provider's cache, where it reports and charges them apart. Part of `inputTokens`. */
  readonly cacheWriteTokens: number | null;
  /** What the API or the broken stream said went wrong. */
  readonly error: string | null;
}

/** Builds a reply piece by piece. Tolerates whatever comes: unknown pieces change nothing. */
export interface ReplyBuilder {
  /** One event of the stream. Returns the characters of text, reasoning or arguments that it brought. */
  event(value: unknown): number;
  whole(value: unknown): void;
  /** `cut`: the stream ended before its last event. */
  finish(cut: boolean): Reply;
}

/** A piece of a conversation, whatever the format it came in. */
export type Utterance = Omit<ConversationItem, 'exchangeId' | 'isCopied'>;

/** One wire format of a model API. */
export interface DialectReader {
  readonly id: Dialect;
  /** Whether a POST to this path is a call of a model. */
  matches(path: string): boolean;
  /** The model named by the request. */
  model(path: string, request: unknown): string | null;
  /** Field of the request with the conversation. */
  readonly listField: 'input' | 'messages' | 'contents';
  reply(): ReplyBuilder;
  /**
   * For a format that says everything twice: the events that end a reply. When one of them came, the `….delta` events
   * had nothing that the others have not.
   */
  readonly endings?: ReadonlySet<string>;
  /** What of an event may be a piece of a text; the whole event where a format does not say. */
  inPieces?(event: unknown): unknown;
  /** What a request says, oldest first: instructions, conversation so far, tool outputs. */
  asked(request: unknown): Utterance[];
  /** What a finished reply says. */
  answered(reply: unknown): Utterance[];
}

/** Some servers stream an empty id with every call: that is none. */
export function utterance(kind: Utterance['kind'], text: string, tool: Partial<Utterance> = {}): Utterance {
  return { kind, text, toolName: tool.toolName ?? null, callId: tool.callId || null };
}

/**
 * What each of several choices says, as one list. An agent goes on from the first; the others are no part of the
 * conversation until a request repeats them, and say what they are.
 */
export function ofChoices(choices: readonly (readonly Utterance[])[]): Utterance[] {
  return choices.flatMap((said, index) => {
    if (index === 0) return said;
    const mark = `Choice ${index + 1} of ${choices.length}: `;
    return said.map(({ text, toolName }) =>
      utterance('other', `${mark}${toolName === null ? '' : `${toolName} `}${text}`),
    );
  });
}

/**
 * Text of a message whose content is a string or a list of parts, a refusal or what a sound says being one as well; what
 * is no text stands as its type in brackets.
 */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (typeof part === 'string' ? part : (spokenIn(part) ?? `[${stringAt(part, 'type')}]`)))
    .join('\n');
}

function spokenIn(part: unknown): string | null {
  return stringAt(part, 'text') ?? stringAt(part, 'refusal') ?? stringAt(part, 'transcript');
}

/** A provider's own words for a failure, in the shapes that are in use. */
export function errorMessageOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const error = 'error' in value ? value.error : undefined;
  if (typeof error === 'string') return error;
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  if ('detail' in value && typeof value.detail === 'string') return value.detail;
  return null;
}

export const cutOff = 'The stream ended before the reply was complete.';
