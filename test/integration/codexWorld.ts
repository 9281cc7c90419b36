import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type FakeUpstreamOptions, startFakeUpstream } from '../fakes/upstream.ts';
import { aSampleRepository } from '../sampleRepository.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, provideCodex } from '../world.ts';

/** Codex's own sandbox is not what is tested here, and can't start in every container. */
export const unsandboxed = '--dangerously-bypass-approvals-and-sandbox';
export const quiet = ['-c', 'otel.metrics_exporter="none"', '-c', 'analytics.enabled=false', '--disable', 'plugins'];
export const codexKey = 'sk-test-of-codex-tasks-0123456789';

/** A world whose model host is a fake upstream, a sample repository, and a Codex home of its own. */
export async function aCodexWorld(options: FakeUpstreamOptions = {}) {
  const upstream = await startFakeUpstream(options);
  onTestFinished(() => upstream.dispose());
  const codexHome = join(temporaryDirectory(), 'codex-home');
  mkdirSync(codexHome);
  const world = aWorld({
    COACH_UPSTREAMS: `api.openai.com=${upstream.origin},chatgpt.com=${upstream.origin}`,
    CODEX_HOME: codexHome,
    // Codex refuses its sandbox when its home lies in the temporary directory.
    TMPDIR: temporaryDirectory(),
    CODEX_API_KEY: codexKey,
  });
  provideCodex(world);
  return { world, repository: await aSampleRepository(), upstream };
}
