// mockttp passing everything through, as a process of its own. With a database file it records bodies.
import { serveCalls } from './calls.ts';
import { openPeerStore } from './peerStore.ts';

/** What is used of it: it is fetched when first needed, and no dependency of the project. */
interface Mockttp {
  generateCACertificate(): Promise<{ key: string; cert: string }>;
  getLocal(options: { https: { key: string; cert: string }; http2: boolean; recordTraffic: boolean }): {
    readonly port: number;
    start(port: { startPort: number; endPort: number }): Promise<void>;
    forAnyRequest(): { thenPassThrough(options: PassThrough): Promise<unknown> };
    forAnyWebSocket(): { thenPassThrough(options: PassThrough): Promise<unknown> };
    on(event: 'request' | 'response', listener: (message: Recorded) => void): Promise<void>;
  };
}
interface PassThrough {
  readonly additionalTrustedCAs: readonly { readonly certPath: string }[];
}
interface Recorded {
  readonly id: string;
  readonly body: { readonly buffer: Buffer };
}

const [moduleUrl = '', caFile = '', databaseFile = ''] = process.argv.slice(2);

async function start(): Promise<{ port: number; caPem: string }> {
  const { generateCACertificate, getLocal } = (await import(moduleUrl)) as Mockttp;
  const https = await generateCACertificate();
  const server = getLocal({ https, http2: false, recordTraffic: false });
  await server.start({ startPort: 20_000, endPort: 60_000 });
  const trust = { additionalTrustedCAs: [{ certPath: caFile }] };
  await server.forAnyRequest().thenPassThrough(trust);
  await server.forAnyWebSocket().thenPassThrough(trust);
  if (databaseFile !== '') {
    const store = openPeerStore(databaseFile);
    const open = new Map<string, Buffer>();
    await server.on('request', ({ id, body }) => void open.set(id, body.buffer));
    await server.on('response', ({ id, body }) => {
      store(open.get(id) ?? Buffer.alloc(0), body.buffer);
      open.delete(id);
    });
  }
  return { port: server.port, caPem: https.cert };
}

const listening = start();
const handlers = { port: async () => (await listening).port, caPem: async () => (await listening).caPem };
export type MockttpProxy = typeof handlers;
serveCalls(handlers);
