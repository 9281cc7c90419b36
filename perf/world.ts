import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../scripts/root.ts';
import { testAuthority } from '../test/fakes/upstreamCertificate.ts';
import { type Remote, startProcess } from './calls.ts';
import type { Contestant } from './contestant.ts';
import { startContestants } from './contestants.ts';
import type { Load } from './load.ts';
import { startOurs } from './ours.ts';
import type { Upstream } from './upstream.ts';

/** New names for first handshakes; each is used once per contestant. */
const freshHostCount = 24;

/** The processes of one benchmark: a load client, an upstream, and every proxy that this machine has. */
export interface PerfWorld {
  readonly contestants: readonly Contestant[];
  readonly missing: Readonly<Record<string, string>>;
  readonly load: Remote<Load>;
  readonly upstream: Remote<Upstream>;
  readonly freshHosts: readonly string[];
  /** One more server of ours, of which nothing was asked yet. */
  startAnother(): Promise<Contestant>;
  stop(): Promise<void>;
}

export async function startWorld(): Promise<PerfWorld> {
  const scratch = mkdtempSync(join(tmpdir(), 'coach-perf-'));
  const authority = testAuthority();
  const keyFile = join(scratch, 'upstream.key');
  const certFile = join(scratch, 'upstream.pem');
  const freshHosts = Array.from({ length: freshHostCount }, (_, number) => `fresh-${number}.example.com`);
  const { key, cert } = authority.issue('localhost', 'api.openai.com');
  writeFileSync(keyFile, key);
  writeFileSync(certFile, cert);
  const upstream = await startProcess<Upstream>(join(root, 'perf', 'upstream.ts'), [keyFile, certFile]);
  const load = await startProcess<Load>(join(root, 'perf', 'load.ts'), []);
  const upstreamPort = await upstream.call('port', undefined as never);
  const reached = { upstreamPort, caFile: authority.caFile, freshHosts };
  const lineup = await startContestants({ scratch, ...reached });
  return {
    ...lineup,
    load,
    upstream,
    freshHosts,
    startAnother: () => startOurs({ scratch: mkdtempSync(join(scratch, 'another-')), ...reached }),
    stop: async () => {
      for (const { stop } of lineup.contestants) await stop();
      await load.stop();
      await upstream.stop();
      authority.dispose();
      rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
