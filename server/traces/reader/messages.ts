import type { ErrorShape } from '../../../protocol/errors.ts';
import type { Readings } from './readings.ts';

export type ReadingName = keyof Readings;

/** What goes to the reader's thread. */
export type ReaderMessage =
  | { readonly kind: 'read'; readonly id: number; readonly name: ReadingName; readonly params: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
  /** One more value to be redacted. */
  | { readonly kind: 'hide'; readonly secret: string }
  | { readonly kind: 'forget'; readonly secret: string }
  | { readonly kind: 'end' };

/** What comes back, one for each `read`. */
export type ReaderAnswer =
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorShape };
