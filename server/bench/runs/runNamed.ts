import { CoachError } from '../../../protocol/errors.ts';
import { latest, leastOfId } from '../../../protocol/ids.ts';
import { ambiguousId } from '../../base/ambiguousId.ts';
import type { RunStore } from './runStore.ts';

/**
 * The id of the run that is meant by its id, by a beginning of it that no other run has, or by `latest`.
 * @throws CoachError `run.missing`; `input.invalid` when several begin like that
 */
export function runNamed(given: string, store: Pick<RunStore, 'ids'>): string {
  const ids = store.ids();
  if (ids.includes(given)) return given;
  const named = given === latest ? ids.slice(0, 1) : given.length < leastOfId ? [] : beginning(ids, given);
  const [id] = named;
  if (id === undefined) throw missing(given, ids);
  if (named.length === 1) return id;
  throw ambiguousId('run', given, named, 'The newest of them');
}

/** The same for a trial, whose id is its run's and a number; without such a run it stays as it is. */
export function trialNamed(given: string, store: Pick<RunStore, 'ids'>): string {
  const at = given.lastIndexOf('.');
  const run = given.slice(0, Math.max(0, at));
  const ids = store.ids();
  if (run !== latest && (run.length < leastOfId || beginning(ids, run).length === 0)) return given;
  return `${runNamed(run, store)}${given.slice(at)}`;
}

const beginning = (ids: readonly string[], start: string) => ids.filter(id => id.startsWith(start));

function missing(given: string, ids: readonly string[]): CoachError {
  if (given === latest && ids.length === 0) {
    return new CoachError('run.missing', 'There is no run yet.', {
      hint: 'Start one with: codex-coach run <task> --agent codex',
    });
  }
  const least = given.length < leastOfId ? `Of an id, give at least ${leastOfId} characters. ` : '';
  return new CoachError('run.missing', `No run ${given}.`, { hint: `${least}See: codex-coach runs list` });
}
