import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';

export interface OuterProxyOptions {
  /** Names of the outside, and the port of this machine where they are served. */
  readonly places: Readonly<Record<string, number>>;
  /** `name:password` that it asks for. */
  readonly credentials?: string;
  /** Answers every request so instead of doing it. */
  readonly answer?: string;
  /** Certificate and key in PEM: speak TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface OuterProxy {
  readonly port: number;
  /** Heads of the requests that came, as they stood on the wire. */
  readonly heads: readonly string[];
  dispose(): void;
}

/** A company's forward proxy on 127.0.0.1: CONNECT, and whole URLs for plain HTTP. The only one who knows the outside. */
export async function startOuterProxy(options: OuterProxyOptions): Promise<OuterProxy> {
  const heads: string[] = [];
  const open = new Set<Socket>();
  const serve = (socket: Socket) => {
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', function read(chunk: Buffer) {
      text += chunk.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      socket.off('data', read);
      const head = text.slice(0, text.indexOf('\r\n\r\n'));
      heads.push(head);
      passOn(socket, head, text.slice(head.length + 4), options);
    });
  };
  const server: Server = options.tls
    ? createSecureServer({ ...options.tls, allowHalfOpen: true }, serve)
    : createServer({ allowHalfOpen: true }, serve);
  server.on('connection', socket => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    heads,
    dispose() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

function passOn(socket: Socket, head: string, rest: string, { places, credentials, answer }: OuterProxyOptions): void {
  if (answer !== undefined) return void socket.end(answer);
  const shown = /^proxy-authorization: Basic (\S+)$/im.exec(head)?.[1];
  if (credentials !== undefined && shown !== btoa(credentials)) {
    return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n');
  }
  const [, method, target = ''] = /^(\S+) (\S+)/.exec(head) ?? [];
  const place = method === 'CONNECT' ? target : new URL(target).host;
  const port = places[place];
  if (port === undefined) return void socket.end('HTTP/1.1 502 No Such Place\r\n\r\n');
  const there = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
    if (method === 'CONNECT') socket.write('HTTP/1.1 200 OK\r\nProxy-Agent: outer\r\n\r\n');
    else there.write(`${head}\r\n\r\n`, 'latin1');
    there.write(rest, 'latin1');
    socket.pipe(there);
    there.pipe(socket);
  });
  there.on('error', () => socket.destroy());
  socket.on('close', () => there.destroy());
}
