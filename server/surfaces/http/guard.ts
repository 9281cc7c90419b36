import type { IncomingMessage } from 'node:http';
import { sameSecret } from '../../base/sameSecret.ts';
import { Refusal } from './refusal.ts';

/**
 * Refuses what no program that was told this address sends: another name for it (DNS rebinding: a page of another site
 * whose name was led here) and anything that a page in a browser asks for.
 */
export function checkSender(request: IncomingMessage): void {
  const port = request.socket.localPort;
  const hosts = request.headersDistinct['host'] ?? [];
  if (hosts.length !== 1 || !namesOf(port).includes(hosts[0] ?? '')) {
    throw new Refusal(421, 'The Host header is not the address that is listened on.', {
      code: 'server.denied',
      hint: `Ask http://127.0.0.1:${port}.`,
    });
  }
  if (request.headers.origin !== undefined) {
    throw new Refusal(403, 'Pages in a browser are not answered.', { code: 'server.denied' });
  }
}

function namesOf(port: number | undefined): string[] {
  const names = ['127.0.0.1', 'localhost'];
  // Clients leave the usual port out.
  return [...names.map(name => `${name}:${port}`), ...(port === 80 ? names : [])];
}

/** Refuses whoever does not show the token. */
export function checkToken(request: IncomingMessage, token: string): void {
  const shown = request.headersDistinct['authorization'] ?? [];
  const given = /^Bearer +(\S+)$/i.exec(shown[0] ?? '')?.[1] ?? '';
  if (shown.length === 1 && sameSecret(given, token)) return;
  throw new Refusal(401, 'This needs the header Authorization: Bearer, with the token of this COACH_HOME.', {
    code: 'server.denied',
    hint: 'The whole header is in the file http.header of COACH_HOME: curl -H @<file>',
    headers: { 'www-authenticate': 'Bearer realm="codex-coach"' },
  });
}
