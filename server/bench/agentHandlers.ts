import { join } from 'node:path';
import { agents as agentsApi } from '../../protocol/agents.ts';
import type { Handlers } from '../../protocol/api.ts';
import type { Agent } from '../agents/agent.ts';
import { findInstalled, type InstalledAgent, installAgent } from '../agents/install.ts';
import type { EventBus } from '../base/bus.ts';
import type { Executors } from '../executors/index.ts';

export interface AgentHandlerDeps {
  readonly agents: readonly Agent[];
  findAgent(id: string): Agent;
  readonly executors: Executors;
  /** `COACH_HOME/cache`. */
  readonly cache: string;
  /** For npm. */
  readonly env: NodeJS.ProcessEnv;
  readonly bus: EventBus;
}

/** Installs agents into the cache and tells everybody how it goes. */
export function agentInstaller({ cache, env, bus }: Pick<AgentHandlerDeps, 'cache' | 'env' | 'bus'>) {
  return (agent: Agent, signal: AbortSignal): Promise<InstalledAgent> => {
    const onProgress = (text: string) => bus.publish(agentsApi, 'installProgress', { agent: agent.id, text });
    return installAgent(agent, { cache, env, onProgress }, signal);
  };
}

export function agentHandlers(deps: AgentHandlerDeps): Handlers<typeof agentsApi> {
  const install = agentInstaller(deps);
  const describe = (agent: Agent) => {
    const installed = findInstalled(agent, deps.cache);
    return {
      id: agent.id,
      title: agent.title,
      pinnedVersion: agent.package?.version ?? null,
      installed: agent.package === null || installed !== null,
      path: installed === null ? null : join(installed.directory, installed.program),
    };
  };
  return {
    list: () => ({ rows: deps.agents.map(describe) }),
    async install({ agent: id }, signal) {
      const agent = deps.findAgent(id);
      if (agent.package !== null) await install(agent, signal);
      return describe(agent);
    },
    async executors() {
      const rows = await Promise.all(deps.executors.all.map(executor => executor.probe()));
      return { rows, default: rows.find(row => row.available)?.id ?? 'auto' };
    },
  };
}
