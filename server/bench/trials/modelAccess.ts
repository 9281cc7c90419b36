import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import type { Budget } from '../../../protocol/proxy.ts';
import type { AgentChoice, RunLimits } from '../../../protocol/runs.ts';
import { addUsage, totalTokens } from '../../../protocol/usage.ts';
import { type Agent, routeOf } from '../../agents/agent.ts';
import type { DisposableStack } from '../../base/disposable.ts';
import { makeScratch, temporaryScratch } from '../../base/owner.ts';
import { modelEndpoint } from '../../proxy/hosts.ts';
import type { LaunchMeter, ProxyLaunch } from '../../proxy/proxy.ts';
import { sandboxName } from '../sandboxes.ts';
import type { RecordedWork, TrialDeps } from './trial.ts';

/** Longest Unix socket path that every system takes. */
const maxSocketPath = 100;

export interface ModelUser {
  readonly trialId: string;
  readonly agent: Agent;
  readonly choice: AgentChoice;
  readonly label: string;
  /** Its tokens and money count against these. */
  readonly limits: RunLimits;
}

export interface ModelAccess {
  readonly launch: ProxyLaunch;
  readonly socket: string;
  /** All that the agent has used, also through an earlier server. */
  meter(): LaunchMeter;
  sessionIds(): string[];
  failures(): readonly string[];
}

/**
 * The agent's way to its model: a launch of the proxy on a Unix socket in the scratch directory, which puts in the real
 * key on the way out, or leads to a replay. Null for a command that was given no key: it works without a model.
 * @param earlier what an agent that goes on with this server has used through the one before
 */
export async function openModel(
  user: ModelUser,
  scratch: string,
  earlier: RecordedWork,
  deps: TrialDeps,
  owned: DisposableStack,
): Promise<ModelAccess | null> {
  const { agent, choice, limits } = user;
  const { host: defaultHost, keyName } = routeOf(agent, choice.model);
  const realKey = keyName === null ? null : (deps.keys[keyName] ?? null);
  if (choice.replay === null && realKey === null) {
    if (agent.dialect === null) return null;
    throw missingKey(agent, keyName);
  }
  const replay = choice.replay === null ? null : owned.add(await deps.startReplay(choice.replay));
  // Of its other providers' hosts a trial needs none.
  const apiHosts = agent.route === undefined ? agent.apiHosts : [defaultHost];
  const names = new Set([modelEndpoint(defaultHost).host, ...apiHosts]);
  const launch = owned.add(
    await deps.proxy.open({
      agent: agent.id,
      label: user.label,
      overrides: replay === null ? [] : [...names].map(host => ({ host, target: replay.origin })),
      replay: replay !== null,
      defaultHost,
      realKey: replay === null ? realKey : null,
      trialId: user.trialId,
      apiHosts,
      budget: whatIsLeft(limits, earlier),
    }),
  );
  const socket = modelSocket(scratch);
  await mkdir(join(socket, '..'), { recursive: true, mode: 0o711 });
  owned.add(await launch.listen(socket));
  return {
    launch,
    socket,
    meter() {
      const meter = launch.meter();
      return { ...meter, usage: addUsage(earlier.usage, meter.usage) };
    },
    sessionIds: () => [...new Set([...earlier.sessionIds, ...launch.sessionIds()])],
    failures: () => replay?.failures() ?? [],
  };
}

/** What remains of the limits. A budget is never zero, which would be none; the smallest one lets nothing more begin. */
function whatIsLeft({ maxTokens, maxUsd }: RunLimits, earlier: RecordedWork): Budget | null {
  if (maxTokens === null && maxUsd === undefined) return null;
  const usedTokens = totalTokens(earlier.usage) ?? 0;
  return {
    tokens: maxTokens === null ? null : Math.max(1, maxTokens - usedTokens),
    usd: maxUsd === undefined ? null : Math.max(Number.MIN_VALUE, maxUsd - earlier.costUsd),
  };
}

/** @throws CoachError `agent.noKey` */
export function missingKey(agent: Agent, keyName: string | null): CoachError {
  return new CoachError('agent.noKey', `${agent.title} needs a key of its model API, and ${keyName} is not set.`, {
    hint: `Put ${keyName}=… into the environment or into .env at the repository root. The agent never sees it.`,
  });
}

/**
 * The directory that holds the socket, and says who owns the agent's sandbox. Its name must be written down: a later
 * server comes back to the same place.
 */
export async function makeModelScratch(key: string, workspaces: string): Promise<string> {
  const beside = join(workspaces, sandboxName(key, 'model'));
  if (modelSocket(beside).length > maxSocketPath) return temporaryScratch('model');
  await makeScratch(beside);
  return beside;
}

/** In a directory of its own: a sandbox may be given that directory, in which the next server's socket appears, too. */
function modelSocket(scratch: string): string {
  return join(scratch, 's', 'model.sock');
}
