import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../server/base/log.ts';
import { createProxy } from '../../../server/proxy/captureProxy.ts';
import type { LaunchSpec, ProxyService } from '../../../server/proxy/proxy.ts';
import { type Recorder, startRecorder } from '../../../server/traces/recorder/recorder.ts';
import { TraceStore } from '../../../server/traces/store.ts';
import { type Authorities, openAuthorities, runCheck } from '../../conformance/bench.ts';
import { conformanceChecks } from '../../conformance/index.ts';
import type { ProxyUnderTest } from '../../conformance/underTest.ts';
import { aLaunch } from './recordingWorld.ts';

/** Our proxy with recording on. Names under .test stand for hosts that it has never seen. */
async function ourProxy(directory: string, authorities: Authorities, spec: Partial<LaunchSpec>) {
  const database = join(directory, 'traces.sqlite3');
  const recorder: Recorder = await startRecorder({
    file: database,
    workerFile: null,
    idleSeconds: 120,
    log: silentLog,
  });
  const store = new TraceStore(database);
  const start = async () => {
    const files = { caDirectory: join(directory, 'ca'), launchFile: join(directory, 'launches.json') };
    const created = createProxy({ ...files, recorder, store, log: silentLog, env: {} });
    await created.start(0);
    return created;
  };
  let proxy: ProxyService = await start();
  let names = 0;
  const underTest: ProxyUnderTest = {
    name: 'codex-coach',
    async route({ address, port }, kind) {
      const host = kind === 'usual' ? 'api.openai.com' : `fresh-${++names}.test`;
      const target = `https://${address === '::1' ? '[::1]' : address}:${port}`;
      const opened = await proxy.open(aLaunch({ ...spec, overrides: [{ host, target, caFile: authorities.caFile }] }));
      return {
        port: opened.launch.port,
        host,
        hostPort: 443,
        authorization: `Basic ${btoa(`coach:${opened.launch.token}`)}`,
        caPem: readFileSync(proxy.status().caFile, 'utf8'),
      };
    },
    async restart() {
      await proxy.dispose();
      proxy = await start();
    },
  };
  return {
    underTest,
    dispose: async () => {
      await proxy.dispose();
      await recorder.dispose();
      store.dispose();
    },
  };
}

const variants: readonly (readonly [string, Partial<LaunchSpec>])[] = [
  ['a launch', {}],
  ['a launch with a budget', { budget: { tokens: 1_000_000, usd: null } }],
];

describe.each(variants)('transparency of %s', (_name, spec) => {
  let directory: string;
  let authorities: Authorities;
  let ours: Awaited<ReturnType<typeof ourProxy>>;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'coach-test-'));
    authorities = openAuthorities();
    ours = await ourProxy(directory, authorities, spec);
  });
  afterAll(async () => {
    await ours.dispose();
    authorities.dispose();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  it.each(conformanceChecks.map(check => [check.name, check] as const))('%s', async (_check, check) => {
    expect(await runCheck(check, ours.underTest, authorities)).toBeNull();
  });
});
