import { CoachError } from '../../../protocol/errors.ts';
import { latest, leastOfId } from '../../../protocol/ids.ts';

interface Recorded {
  newest(page: { readonly limit: number }): { readonly rows: readonly unknown[] };
}

/** Why nothing is found by what was given for an id; `otherwise` where it might have been one. */
export function missing(given: string, store: Recorded, otherwise: CoachError): CoachError {
  if (given === latest) {
    const what = store.newest({ limit: 1 }).rows.length === 0 ? 'Nothing' : 'Nothing but replays';
    return new CoachError('session.missing', `${what} is recorded yet.`, {
      hint: 'Record Codex with: codex-coach; any other agent with: codex-coach trace -- <command>',
    });
  }
  if (given.length >= leastOfId) return otherwise;
  return new CoachError('session.missing', `${given} is no id, and too short for the beginning of one.`, {
    hint: `Give at least ${leastOfId} characters. See: codex-coach sessions list`,
  });
}
