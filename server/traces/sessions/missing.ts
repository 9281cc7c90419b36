import { CoachError } from '../../../protocol/errors.ts';
import { latest, leastOfId } from '../../../protocol/ids.ts';

/** Why nothing is found by what was given for an id; `otherwise` where it might have been one. */
export function missing(given: string, otherwise: CoachError): CoachError {
  if (given === latest) {
    return new CoachError('session.missing', 'Nothing is recorded yet.', {
      hint: 'Record Codex with: codex-coach; any other agent with: codex-coach trace -- <command>',
    });
  }
  if (given.length >= leastOfId) return otherwise;
  return new CoachError('session.missing', `${given} is no id, and too short for the beginning of one.`, {
    hint: `Give at least ${leastOfId} characters. See: codex-coach sessions list`,
  });
}
