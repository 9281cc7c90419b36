import type { Reader } from '../reader/reader.ts';
import { inWords } from './unreadable.ts';

/** The same reader, which is told the id that `nameOf` makes of each `sessionId`, and names the session that it can't read. */
export function withNamedSessions(reader: Reader, nameOf: (given: string) => Promise<string>): Pick<Reader, 'read'> {
  return {
    read(name, params, signal) {
      const { sessionId } = params as { readonly sessionId?: string };
      if (sessionId === undefined) return reader.read(name, params, signal);
      const whole = () => nameOf(sessionId).then(id => reader.read(name, { ...params, sessionId: id }, signal));
      return inWords(`Session ${sessionId}`, whole);
    },
  };
}
