import { expect, it, onTestFinished } from 'vitest';
import { findAgent } from '../../../../server/agents/index.ts';
import { DisposableStack } from '../../../../server/base/disposable.ts';
import { openModel } from '../../../../server/bench/trials/modelAccess.ts';
import type { TrialDeps } from '../../../../server/bench/trials/trial.ts';
import type { LaunchSpec, ProxyLaunch } from '../../../../server/proxy/proxy.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const origin = 'http://127.0.0.1:4711';

/** The launch that the proxy is asked for. */
async function launchOf(agentId: string, model: string | null, replay: string | null): Promise<LaunchSpec> {
  const opened: LaunchSpec[] = [];
  const launch = { listen: async () => ({ dispose: () => undefined }), dispose: async () => undefined };
  const deps = {
    proxy: {
      open: async (spec: LaunchSpec) => {
        opened.push(spec);
        return launch as Partial<ProxyLaunch> as ProxyLaunch;
      },
    },
    startReplay: async () => ({ origin, failures: () => [], answered: () => 0, dispose: async () => undefined }),
    keys: { OPENAI_API_KEY: 'sk-real', ANTHROPIC_API_KEY: 'sk-ant-real' },
  };
  const user = {
    trialId: 'trial-1',
    agent: findAgent(agentId),
    choice: { id: agentId, model, label: null, command: null, replay },
    label: agentId,
    limits: { maxTokens: null } as never,
  };
  const owned = new DisposableStack();
  onTestFinished(() => owned.dispose());
  const nothing = { usage: null as never, costUsd: 0, sessionIds: [] };
  await openModel(user, temporaryDirectory(), nothing, deps as Partial<TrialDeps> as TrialDeps, owned);
  return opened[0] as LaunchSpec;
}

it('a replayed trial reaches the recording at every host that it may reach, and has no key', async () => {
  const codex = await launchOf('codex', null, 'session:x');
  expect(codex).toMatchObject({ realKey: null, replay: true, apiHosts: ['api.openai.com', 'chatgpt.com'] });
  expect(codex.overrides).toEqual(['api.openai.com', 'chatgpt.com'].map(host => ({ host, target: origin })));
  const opencode = await launchOf('opencode', 'anthropic/claude-x', 'session:x');
  expect(opencode.overrides).toEqual([{ host: 'api.anthropic.com', target: origin }]);
});

it('a trial with a real model goes to that', async () => {
  expect(await launchOf('codex', null, null)).toMatchObject({ realKey: 'sk-real', replay: false, overrides: [] });
});
