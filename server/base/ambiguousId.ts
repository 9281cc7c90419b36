import { CoachError } from '../../protocol/errors.ts';

/** So many of the ids that may be meant are shown. */
export const shownIds = 5;

/** Refuses the beginning of an id that several have. `some`: what is said of those that are shown where there are more. */
export function ambiguousId(what: string, given: string, ids: readonly string[], some: string): CoachError {
  const who = ids.length > shownIds ? some : 'They are';
  return new CoachError('input.invalid', `More than one ${what} begins with ${given}.`, {
    hint: `Give more of its id. ${who}: ${ids.slice(0, shownIds).join(', ')}`,
  });
}
