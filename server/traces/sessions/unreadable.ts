import { CoachError } from '../../../protocol/errors.ts';
import { storageFault } from '../../base/sqlite.ts';
import { parseJson } from '../json.ts';

/** The outcome of `work`, its fault in words, see `unreadable`. */
export async function inWords<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unreadable(what, error);
  }
}

/**
 * A fault that nobody foresaw while stored rows were read, in words: a row that is not as it was written, since what is
 * wrong with the disk has words of its own.
 * @param what as a sentence names it, such as `Session 0199…`
 */
function unreadable(what: string, error: unknown): unknown {
  const fault = CoachError.from(error);
  if (fault.code !== 'internal' || fault.hint !== null || storageFault(error) !== null) return error;
  return new CoachError('internal', `${what} can't be read: ${reasonIn(fault.message)}.`, {
    cause: error,
    hint: 'What was stored of it seems to be damaged. See: codex-coach doctor',
  });
}

/** Faults of a schema come as a list in JSON. */
function reasonIn(message: string): string {
  const issues = parseJson(message);
  if (!Array.isArray(issues)) return message;
  const words = issues as readonly { readonly path?: readonly string[]; readonly message?: string }[];
  return words.map(issue => `${issue.path?.join('.')}: ${issue.message}`).join('; ');
}
