import { connect, type NetConnectOpts } from 'node:net';

const timeoutMs = 1000;

/** Whether something accepts connections there. */
export function listens(host: string, port: number): Promise<boolean> {
  return accepts({ host, port });
}

/** The same for a socket of the file system. */
export function listensAt(path: string): Promise<boolean> {
  return accepts({ path });
}

function accepts(place: NetConnectOpts): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ ...place, timeout: timeoutMs });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}

/** Host and port of a URL that leads to this machine; null for others. */
export function localPlace(url: string): { host: string; port: number } | null {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const host = parsed?.hostname.replace(/^\[|\]$/g, '') ?? '';
  if (parsed === null || !['127.0.0.1', 'localhost', '::1', '0.0.0.0'].includes(host)) return null;
  return {
    host: host === '0.0.0.0' ? '127.0.0.1' : host,
    port: Number(parsed.port) || (parsed.protocol === 'https:' ? 443 : 80),
  };
}
