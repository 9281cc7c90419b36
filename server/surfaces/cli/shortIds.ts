import type { Exchange } from '../../../protocol/sessions.ts';

/** Characters: commands find a session by the beginning of its id. */
const leastOfSession = 8;
/** In an id of ours, the millisecond at which an exchange ended. */
const leastOfExchange = 13;
/** And three random digits. */
const enoughOfExchange = 18;

const isOurs = (id: string) => /^[0-9a-f-]{36}$/.test(id);

/** As much of each session's id as tells it from the others, all of one length. */
export function shortIds(ids: readonly string[], least = leastOfSession): string[] {
  const { size } = new Set(ids);
  const longest = Math.max(0, ...ids.map(id => id.length));
  let length = least;
  while (length < longest && new Set(ids.map(id => id.slice(0, length))).size < size) length++;
  return ids.map(id => id.slice(0, length));
}

/** The same of the exchanges of one session. Those of which Codex's own file tells are numbered within it. */
export function shortExchangeIds(exchanges: readonly Pick<Exchange, 'id' | 'sessionId'>[]): string[] {
  const ids = exchanges.map(({ id, sessionId }) => (id.startsWith(`${sessionId}#`) ? id.slice(sessionId.length) : id));
  return ids.every(isOurs) ? shortIds(ids, leastOfExchange) : ids;
}

/** As much of an exchange's id as tells it from all others. */
export function shortExchangeId(id: string): string {
  return isOurs(id) ? id.slice(0, enoughOfExchange) : id;
}
