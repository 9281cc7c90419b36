// http-mitm-proxy with the settings that suit it best, as a process of its own. With a database file it records bodies.
import { Proxy as MitmProxy } from 'http-mitm-proxy';
import { serveCalls } from './calls.ts';
import { openPeerStore } from './peerStore.ts';

const [caDirectory = '', databaseFile = ''] = process.argv.slice(2);
// It prints to the console by itself.
for (const name of ['log', 'error', 'debug', 'warn'] as const) console[name] = () => undefined;

const proxy = new MitmProxy();
proxy.onError(() => undefined);
if (databaseFile !== '') {
  const store = openPeerStore(databaseFile);
  proxy.onRequest((context, proceed) => {
    const request: Buffer[] = [];
    const response: Buffer[] = [];
    context.onRequestData((_context, chunk, done) => {
      request.push(chunk);
      return done(null, chunk);
    });
    context.onResponseData((_context, chunk, done) => {
      response.push(chunk);
      return done(null, chunk);
    });
    context.onResponseEnd((_context, done) => {
      store(Buffer.concat(request), Buffer.concat(response));
      return done();
    });
    return proceed();
  });
}
const listening = new Promise<number>(resolve => {
  proxy.listen({ port: 0, host: '127.0.0.1', sslCaDir: caDirectory, keepAlive: true }, () => resolve(proxy.httpPort));
});

const handlers = { port: () => listening };
export type PeerProxy = typeof handlers;
serveCalls(handlers);
