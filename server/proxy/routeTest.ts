import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CoachError } from '../../protocol/errors.ts';
import type { Recorder } from '../traces/recorder/recorder.ts';
import type { TraceStore } from '../traces/store.ts';
import type { LaunchSpec, ProxyService } from './proxy.ts';

const testHost = 'api.openai.com';
const testPath = '/v1/codex-coach-route-test';
const timeoutMs = 5000;

export interface RouteStep {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface RouteTestDeps {
  readonly service: ProxyService;
  /** Where the proxy listens when it does not yet. */
  readonly port: number;
  readonly recorder: Recorder;
  readonly store: TraceStore;
}

/**
 * Walks the way of an agent's request with a server of our own in place of the model host: through the proxy, over
 * TLS under our certificate, into the database. A proxy that does not listen yet is started, as for an agent. No
 * request leaves this machine. Stops at the first step that fails.
 */
export async function testRoute({ service, port, recorder, store }: RouteTestDeps): Promise<RouteStep[]> {
  const { caFile } = service.status();
  const steps: RouteStep[] = [];
  const step = async (name: string, work: () => Promise<string> | string): Promise<boolean> => {
    try {
      steps.push({ name, ok: true, detail: await work() });
      return true;
    } catch (cause) {
      const { message, hint } = CoachError.from(cause);
      steps.push({ name, ok: false, detail: [message, hint].filter(Boolean).join(' ') });
      return false;
    }
  };
  const listening = await step('proxy', async () => {
    const started = await service.start(port);
    return `listening on ${started.host}:${started.port}`;
  });
  const certified = listening && (await step('certificate', () => checkCertificate(caFile)));
  const before = store.sideRequests(testHost, testPath);
  const intercepted = certified && (await step('interception', () => sendThrough(service, caFile)));
  if (intercepted) {
    await step('database', async () => {
      await recorder.flush();
      if (store.sideRequests(testHost, testPath) > before) return 'the request was recorded';
      throw new Error('the request was not recorded; see the log');
    });
  }
  return steps;
}

function checkCertificate(caFile: string): string {
  const { validTo, ca } = new X509Certificate(readFileSync(caFile));
  if (!ca || Date.parse(validTo) < Date.now()) throw new Error(`${caFile} has expired on ${validTo}`);
  return `${caFile}, valid until ${validTo}`;
}

async function sendThrough(service: ProxyService, caFile: string): Promise<string> {
  const server = createServer((_request, response) => response.end('here'));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const spec: LaunchSpec = {
    agent: 'route-test',
    label: null,
    overrides: [{ host: testHost, target }],
    replay: true,
    defaultHost: testHost,
    realKey: null,
    trialId: null,
  };
  const launch = await service.open(spec);
  try {
    const answer = await request(launch.launch.port, launch.launch.token, caFile);
    if (!answer.endsWith('here')) throw new Error(`unexpected answer: ${JSON.stringify(answer.slice(0, 100))}`);
    await launch.settled();
    return `${testHost} is decrypted`;
  } finally {
    await launch.dispose();
    server.close();
    server.closeAllConnections();
  }
}

async function request(port: number, token: string, caFile: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
  const credentials = Buffer.from(`coach:${token}`).toString('base64');
  socket.write(`CONNECT ${testHost}:443 HTTP/1.1\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`);
  const tunnel = await readUntil(socket, text => text.includes('\r\n\r\n'));
  if (!/^HTTP\/1\.1 200 /.test(tunnel)) throw new Error(tunnel.split('\r\n')[0]);
  const secure = connectTls({ socket, servername: testHost, ca: readFileSync(caFile) });
  secure.write(`GET ${testPath} HTTP/1.1\r\nHost: ${testHost}\r\nConnection: close\r\n\r\n`);
  return readUntil(secure, () => false);
}

/** Reads text until it has what is asked, or the stream ends. */
function readUntil(socket: Socket, enough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (enough(text)) finish();
    };
    const finish = () => {
      socket.off('data', read);
      resolve(text);
    };
    socket.on('data', read);
    socket.once('end', finish);
    socket.once('error', reject);
  });
}
