import type { Duplex } from 'node:stream';

/** How long an agent may take to close once it was sent everything. */
const lingerMs = 5000;

/** Ends our side and lets the agent read it: closing over its own unread bytes would reset the connection under it. */
export function endWith(client: Duplex, lastWords?: string): void {
  let timer: NodeJS.Timeout | undefined;
  const linger = () => {
    timer = setTimeout(() => client.destroy(), lingerMs);
  };
  client.once('close', () => clearTimeout(timer));
  if (client.writableFinished) linger();
  else client.once('finish', linger);
  client.end(lastWords);
  client.resume();
}
