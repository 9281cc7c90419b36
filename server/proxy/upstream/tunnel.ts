import type { Socket } from 'node:net';
import { CoachError } from '../../../protocol/errors.ts';
import { parseHead } from '../../traces/wire/httpHead.ts';
import { headEnd } from '../../traces/wire/httpParser.ts';
import type { Place } from '../hostPatterns.ts';
import { authorityOf, type UpstreamProxy } from './upstreamProxy.ts';

const maxHeadBytes = 64 * 1024;

/**
 * Asks another proxy for a tunnel on a fresh connection to it, which becomes the tunnel.
 * @throws CoachError `proxy.upstream` with what the other proxy said
 */
export async function openTunnel(
  socket: Socket,
  proxy: UpstreamProxy,
  place: Place,
  via: readonly [string, string],
  timeoutMs: number,
): Promise<Socket> {
  const target = authorityOf(place);
  const where = `the proxy ${authorityOf(proxy)} (${proxy.variable})`;
  const authorization = proxy.authorization === null ? '' : `Proxy-Authorization: ${proxy.authorization}\r\n`;
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${via.join(': ')}\r\n${authorization}\r\n`);
  try {
    const [, status, reason] = await readAnswer(socket, timeoutMs);
    if (status === '200') return socket;
    throw new CoachError('proxy.upstream', `Can't reach ${target}: ${where} answered ${status} ${reason}`.trim(), {
      hint: status === '407' ? `Give it a name and password: ${proxy.variable}=http://name:password@host:port` : '',
    });
  } catch (error) {
    socket.destroy();
    if (error instanceof CoachError) throw error;
    const { message } = error as Error;
    throw new CoachError('proxy.upstream', `Can't reach ${target}: ${where}: ${message}`, { cause: error });
  }
}

/** Reads the start line of the answer; what follows the head is left in the stream. */
function readAnswer(socket: Socket, timeoutMs: number): Promise<readonly [string, string, string]> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const stop = () => {
      socket.setTimeout(0);
      socket.pause();
      socket.off('data', read);
      socket.off('error', reject);
      socket.off('close', close);
      socket.off('end', close);
      socket.off('timeout', expire);
    };
    const fail = (error: Error) => {
      stop();
      reject(error);
    };
    const close = () => fail(new Error('it closed the connection'));
    const expire = () => fail(new Error(`no answer within ${timeoutMs / 1000} s`));
    const read = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = headEnd(bytes, 0);
      if (end === null && bytes.length <= maxHeadBytes) return;
      stop();
      try {
        const head = parseHead(bytes.toString('latin1', 0, end?.text ?? maxHeadBytes), 'response');
        if (end !== null && end.next < bytes.length) socket.unshift(bytes.subarray(end.next));
        resolve(head.startLine);
      } catch (error) {
        reject(error);
      }
    };
    socket.setTimeout(timeoutMs, expire);
    socket.on('data', read);
    socket.once('error', reject);
    socket.once('close', close);
    socket.once('end', close);
  });
}
