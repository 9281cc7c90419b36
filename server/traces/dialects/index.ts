import { chat } from './chat.ts';
import type { DialectReader } from './dialect.ts';
import { gemini } from './gemini.ts';
import { messages } from './messages.ts';
import { other } from './other.ts';
import { responses } from './responses.ts';
import { plainPath, sideKind } from './sideTraffic.ts';

/** Every wire format that is known. */
const dialects: readonly DialectReader[] = [responses, chat, messages, gemini];

/** The format of a POST to this path (without query), or null when it is no call of a model. */
export function dialectOf(path: string): DialectReader | null {
  const plain = plainPath(path);
  const known = dialects.find(dialect => dialect.matches(plain));
  return known ?? (sideKind('POST', plain) === null ? other : null);
}

export function dialectNamed(id: string): DialectReader | null {
  return [...dialects, other].find(dialect => dialect.id === id) ?? null;
}
