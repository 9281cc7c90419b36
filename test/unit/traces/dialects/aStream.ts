import type { DialectReader } from '../../../../server/traces/dialects/dialect.ts';
import { dialectOf } from '../../../../server/traces/dialects/index.ts';

export function reader(path: string): DialectReader {
  const dialect = dialectOf(path);
  if (dialect === null) throw new Error(`no dialect for ${path}`);
  return dialect;
}

/** What is read of a stream of these events. */
export function stream(path: string, events: readonly object[], cut = true) {
  const dialect = reader(path);
  const reply = dialect.reply();
  const characters = events.map(event => reply.event(event)).reduce((sum, count) => sum + count, 0);
  const finished = reply.finish(cut);
  return { ...finished, characters, answered: dialect.answered(finished.json).map(said => [said.kind, said.text]) };
}
