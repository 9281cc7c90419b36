import { connect } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';

/** How a request gets to the upstream. */
export interface Way {
  /** Of the proxy; of the upstream itself when there is no proxy between. */
  readonly port: number;
  /** `host:port` for CONNECT; null goes straight there. */
  readonly target: string | null;
  /** Name in the certificate. */
  readonly host: string;
  readonly hostHeader: string;
  readonly authorization: string | null;
}

/** A TLS connection to the upstream, through the proxy. The certificate on this leg is not what is measured. */
export async function openWay(way: Way): Promise<TLSSocket> {
  const plain = connect(way.port, '127.0.0.1');
  plain.setNoDelay(true);
  if (way.target !== null) await connectThrough(plain, way.target, way.authorization);
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ socket: plain, servername: way.host, rejectUnauthorized: false });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`The connection to ${way.host} closed in its handshake.`)));
    socket.once('secureConnect', () => {
      socket.removeAllListeners('close');
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function connectThrough(plain: ReturnType<typeof connect>, target: string, authorization: string | null) {
  return new Promise<void>((resolve, reject) => {
    const credentials = authorization === null ? '' : `Proxy-Authorization: ${authorization}\r\n`;
    plain.once('error', reject);
    plain.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${credentials}\r\n`);
    let reply = '';
    plain.on('data', function take(chunk: Buffer) {
      reply += chunk.toString('latin1');
      if (!reply.includes('\r\n\r\n')) return;
      plain.off('data', take);
      plain.off('error', reject);
      plain.pause();
      if (/^HTTP\/1\.1 200/.test(reply)) resolve();
      else reject(new Error(`CONNECT ${target}: ${reply.slice(0, 200)}`));
    });
  });
}
