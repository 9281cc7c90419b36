import { chat } from './chat.ts';
import type { DialectReader } from './dialect.ts';
import { gemini } from './gemini.ts';
import { messages } from './messages.ts';
import { responses } from './responses.ts';

/** Every wire format that is read. */
const dialects: readonly DialectReader[] = [responses, chat, messages, gemini];

/** The format of a POST to this path (without query), or null when it is no call of a model. */
export function dialectOf(path: string): DialectReader | null {
  return dialects.find(dialect => dialect.matches(path)) ?? null;
}

export function dialectNamed(id: string): DialectReader | null {
  return dialects.find(dialect => dialect.id === id) ?? null;
}
