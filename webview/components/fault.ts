import { CoachError } from '../../protocol/errors.ts';

/** What a page says of a failure: what happened, and what to do. Null when the person cancelled it. */
export function faultWords(error: unknown): string | null {
  const { code, message, hint } = CoachError.from(error);
  return code === 'cancelled' ? null : [message, hint].filter(Boolean).join(' ');
}
