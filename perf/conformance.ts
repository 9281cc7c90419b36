// The conformance suite against ours and the peers: a matrix of what each of them keeps as it is.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../scripts/root.ts';
import { type Authorities, openAuthorities, runCheck } from '../test/conformance/bench.ts';
import { conformanceChecks } from '../test/conformance/index.ts';
import type { ProxyUnderTest } from '../test/conformance/underTest.ts';
import { startProcess } from './calls.ts';
import { startMitmdump } from './mitmdump.ts';
import { mockttpModule } from './mockttp.ts';
import { openServer } from './ours.ts';
import type { PeerProxy } from './peerHttpMitmProxy.ts';
import type { MockttpProxy } from './peerMockttp.ts';

/** A check that waits for what never comes is over then. */
const checkTimeoutMs = 10_000;

interface Tested {
  readonly proxy: ProxyUnderTest;
  stop(): Promise<void>;
}

export interface Conformance {
  readonly check: string;
  /** By proxy: null when it holds, else what was different. */
  readonly results: Readonly<Record<string, string | null>>;
}

/** Runs every check against ours and every peer that this machine has. */
export async function measureConformance(): Promise<readonly Conformance[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'coach-perf-conformance-'));
  const authorities = openAuthorities();
  const results = new Map<string, Record<string, string | null>>();
  try {
    for (const start of [ours, httpMitmProxy, mockttp, mitmproxy]) {
      const tested = await start(scratch, authorities).catch((error: Error) => error);
      if (tested instanceof Error) console.log(`Conformance without one peer: ${tested.message}`);
      else await testPeer(tested, authorities, results);
    }
  } finally {
    authorities.dispose();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
  return [...results].map(([check, byProxy]) => ({ check, results: byProxy }));
}

async function testPeer(
  { proxy, stop }: Tested,
  authorities: Authorities,
  results: Map<string, Record<string, string | null>>,
): Promise<void> {
  for (const check of conformanceChecks) {
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<Error>(resolve => {
      timer = setTimeout(resolve, checkTimeoutMs, new Error(`nothing within ${checkTimeoutMs / 1000} s`));
    });
    const failure = await Promise.race([runCheck(check, proxy, authorities), timedOut]);
    clearTimeout(timer);
    results.set(check.name, { ...results.get(check.name), [proxy.name]: failure?.message ?? null });
  }
  await stop();
}

async function ours(scratch: string, { caFile }: Authorities): Promise<Tested> {
  const home = join(scratch, 'coach');
  let server = await openServer(home);
  let names = 0;
  return {
    stop: () => server.stop(),
    proxy: {
      name: 'ours',
      async route({ address, port }, kind) {
        const host = kind === 'usual' ? 'api.openai.com' : `fresh-${++names}.test`;
        const target = `https://${address === '::1' ? '[::1]' : address}:${port}`;
        const launch = await server.proxy.launch({ agent: 'codex', overrides: [{ host, target, caFile }] });
        const authorization = `Basic ${Buffer.from(`coach:${launch.token}`).toString('base64')}`;
        const caPem = readFileSync((await server.proxy.status({})).caFile, 'utf8');
        return { port: launch.port, host, hostPort: 443, authorization, caPem };
      },
      async restart() {
        await server.stop();
        server = await openServer(home);
      },
    },
  };
}

async function httpMitmProxy(scratch: string, { caFile }: Authorities): Promise<Tested> {
  const directory = join(scratch, 'http-mitm-proxy');
  mkdirSync(directory);
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: caFile };
  const peer = await startProcess<PeerProxy>(join(root, 'perf', 'peerHttpMitmProxy.ts'), [directory], {
    env,
    quiet: true,
  });
  const port = await peer.call('port', undefined as never);
  const caPem = readFileSync(join(directory, 'certs', 'ca.pem'), 'utf8');
  return { proxy: underTest('http-mitm-proxy', port, caPem), stop: peer.stop };
}

async function mockttp(_scratch: string, { caFile }: Authorities): Promise<Tested> {
  const args = [mockttpModule(), caFile];
  const peer = await startProcess<MockttpProxy>(join(root, 'perf', 'peerMockttp.ts'), args, { quiet: true });
  const port = await peer.call('port', undefined as never);
  return { proxy: underTest('mockttp', port, await peer.call('caPem', undefined as never)), stop: peer.stop };
}

async function mitmproxy(scratch: string, { caFile }: Authorities): Promise<Tested> {
  const { port, stop } = await startMitmdump({
    scratch,
    caFile,
    database: join(scratch, 'mitmproxy.sqlite3'),
    addon: join(root, 'perf', 'peerMitmproxy.py'),
  });
  const caPem = readFileSync(join(scratch, 'mitmproxy', 'mitmproxy-ca-cert.pem'), 'utf8');
  return { proxy: underTest('mitmproxy', port, caPem), stop };
}

/** A peer has no upstream setting: its clients ask for the origin's own address. */
function underTest(name: string, port: number, caPem: string): ProxyUnderTest {
  return {
    name,
    route: async ({ address, port: hostPort }) => {
      const host = address === '::1' ? '::1' : 'localhost';
      return { port, host, hostPort, authorization: null, caPem };
    },
  };
}

/** A Markdown table: yes, or no. */
export function matrixOf(conformance: readonly Conformance[]): string {
  const names = [...new Set(conformance.flatMap(({ results }) => Object.keys(results)))];
  const rows = conformance.map(({ check, results }) => [
    check,
    ...names.map(name => (results[name] === null ? 'yes' : 'no')),
  ]);
  const held = names.map(name => conformance.filter(({ results }) => results[name] === null).length);
  return [['check', ...names], ['---', ...names.map(() => '---')], ...rows, [`of ${conformance.length}`, ...held]]
    .map(row => `| ${row.join(' | ')} |`)
    .join('\n');
}
