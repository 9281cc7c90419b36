// http-mitm-proxy with the settings that suit it best, as a process of its own. Prints its port as one JSON line.
import { Proxy as MitmProxy } from 'http-mitm-proxy';

const [caDirectory = ''] = process.argv.slice(2);
const log = console.log;
// It prints to the console by itself; standard output is for the port alone.
for (const name of ['log', 'error', 'debug', 'warn'] as const) console[name] = () => undefined;

const proxy = new MitmProxy();
proxy.onError(() => undefined);
proxy.listen({ port: 0, host: '127.0.0.1', sslCaDir: caDirectory, keepAlive: true }, () => {
  log(JSON.stringify({ port: proxy.httpPort }));
});
