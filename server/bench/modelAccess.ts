import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import type { AgentChoice } from '../../protocol/runs.ts';
import type { Agent } from '../agents/agent.ts';
import type { DisposableStack } from '../base/disposable.ts';
import { makeScratch, temporaryScratch } from '../base/owner.ts';
import type { ProxyLaunch } from '../proxy/proxy.ts';
import { sandboxName } from './sandboxes.ts';
import type { TrialDeps } from './trial.ts';

/** Longest Unix socket path that every system takes. */
const maxSocketPath = 100;
const socketName = 'model.sock';

export interface ModelUser {
  readonly trialId: string;
  readonly agent: Agent;
  readonly choice: AgentChoice;
  readonly label: string;
  /** Input + output tokens that its token is good for; null is no limit. */
  readonly maxTokens: number | null;
}

export interface ModelAccess {
  readonly launch: ProxyLaunch;
  readonly socket: string;
  failures(): readonly string[];
}

/**
 * The agent's way to its model: a launch of the proxy on a Unix socket, which puts in the real key on the way out, or
 * leads to a replay. Null for a command that was given no key: it works without a model.
 */
export async function openModel(
  phase: ModelUser,
  deps: TrialDeps,
  owned: DisposableStack,
): Promise<ModelAccess | null> {
  const { agent, choice } = phase;
  const defaultHost = agent.apiHosts[0] ?? 'api.openai.com';
  const realKey = agent.keyName === null ? null : (deps.keys[agent.keyName] ?? null);
  if (choice.replay === null && realKey === null) {
    if (agent.dialect === null) return null;
    throw missingKey(agent);
  }
  const replay = choice.replay === null ? null : owned.add(await deps.startReplay(choice.replay));
  const launch = owned.add(
    await deps.proxy.open({
      agent: agent.id,
      label: phase.label,
      overrides: replay === null ? [] : [{ host: defaultHost, target: replay.origin }],
      replay: replay !== null,
      defaultHost,
      realKey: replay === null ? realKey : null,
      trialId: phase.trialId,
      apiHosts: agent.apiHosts,
      budget: phase.maxTokens === null ? null : { tokens: phase.maxTokens, usd: null },
    }),
  );
  const socket = await socketFor(phase.trialId, deps.workspaces, owned);
  owned.add(await launch.listen(socket));
  return { launch, socket, failures: () => replay?.failures() ?? [] };
}

/** @throws CoachError `agent.noKey` */
export function missingKey(agent: Agent): CoachError {
  return new CoachError(
    'agent.noKey',
    `${agent.title} needs a key of its model API, and ${agent.keyName} is not set.`,
    {
      hint: `Put ${agent.keyName}=… into the environment or into .env at the repository root. The agent never sees it.`,
    },
  );
}

async function socketFor(trialId: string, workspaces: string, owned: DisposableStack): Promise<string> {
  const beside = join(workspaces, sandboxName(trialId, 'model'));
  const fits = join(beside, socketName).length <= maxSocketPath;
  const directory = fits ? beside : await temporaryScratch('model');
  owned.defer(() => rm(directory, { recursive: true, force: true }));
  if (fits) await makeScratch(directory);
  return join(directory, socketName);
}
