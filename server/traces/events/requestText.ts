import { isUtf8 } from 'node:buffer';
import { zstdDecompressSync } from 'node:zlib';
import { isObject } from '../json.ts';
import { ByteReader, ByteWriter } from './byteWriter.ts';
import { zstd } from './compression.ts';
import { packSpelling, respell } from './spelling.ts';

/** How a request's text follows from its stored JSON. The place is part of the stored format: append only. */
const forms = ['canonical', 'spelt', 'own', 'redacted', 'unreadable', 'tooLarge'] as const;
type Form = (typeof forms)[number];

interface SentRequest {
  /** The decoded body or message. */
  readonly body: Buffer;
  /** `JSON.stringify` of what was sent; null when it is no JSON. */
  readonly canonical: string | null;
  /** Elements of the stored list that were sent, when it was made whole from earlier requests. */
  readonly tail: number | null;
  /** A secret was taken out of the stored JSON. */
  readonly changed: boolean;
  /** The decoded body was too large to be kept. */
  readonly tooLarge: boolean;
}

interface RequestText {
  readonly text: string;
  /** False when the text is what is left of it after redaction, or of a body that could not be kept. */
  readonly exact: boolean;
}

/** What to store beside a request's JSON so that its text can be written out again; null when it follows from that. */
export function packRequestText(sent: SentRequest, isClean: (text: string) => boolean): Buffer | null {
  if (sent.tooLarge) return stored('tooLarge', null);
  if (sent.changed) return stored('redacted', sent.tail);
  const text = sent.body.toString('utf8');
  const isText = isUtf8(sent.body);
  if (isText && text === sent.canonical) return sent.tail === null ? null : stored('canonical', sent.tail);
  const spelling = isText && sent.canonical !== null ? packSpelling(text, sent.canonical) : null;
  if (spelling !== null) return stored('spelt', sent.tail, spelling);
  // Parsing may have dropped something that is here: a repeated key, or all of it.
  if (isClean(text) && isClean(unescaped(text))) return stored('own', sent.tail, sent.body);
  return stored(sent.canonical === null ? 'unreadable' : 'redacted', sent.tail);
}

/** The reverse: `request` is the stored JSON with every reference expanded. */
export function unpackRequestText(verbatim: Buffer | null, request: unknown, listField: string): RequestText {
  if (verbatim === null) return { text: JSON.stringify(request), exact: true };
  const reader = new ByteReader(verbatim);
  const form: Form = forms[reader.varint()] ?? 'unreadable';
  const tail = reader.varint() - 1;
  const payload = () => zstdDecompressSync(verbatim.subarray(reader.at));
  const canonical = () => JSON.stringify(tail < 0 ? request : withTail(request, listField, tail));
  switch (form) {
    case 'canonical':
      return { text: canonical(), exact: true };
    case 'spelt':
      return { text: respell(payload(), canonical()), exact: true };
    case 'own': {
      const body = payload();
      const text = body.toString('utf8');
      return { text, exact: Buffer.from(text).equals(body) };
    }
    case 'redacted':
      return { text: canonical(), exact: false };
    default:
      return { text: '', exact: false };
  }
}

function withTail(request: unknown, listField: string, tail: number): unknown {
  if (!isObject(request)) return request;
  const list = request[listField];
  return { ...request, [listField]: Array.isArray(list) ? list.slice(list.length - tail) : list };
}

function stored(form: Form, tail: number | null, payload?: Buffer): Buffer {
  const head = new ByteWriter();
  head.varint(forms.indexOf(form));
  head.varint(tail === null ? 0 : tail + 1);
  if (payload !== undefined) head.bytes(zstd(payload));
  return Buffer.from(head.view());
}

/** JSON's escapes undone wherever they stand. */
function unescaped(text: string): string {
  return text
    .replace(/\\u([0-9a-fA-F]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/\\(["\\/])/g, '$1');
}
