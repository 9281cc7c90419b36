// Other agents' real programs, for the tests that run them: from npm as for anybody, kept between runs.
import { join } from 'node:path';
import { claude } from '../server/agents/claude.ts';
import { gemini } from '../server/agents/gemini.ts';
import { findInstalled, type InstallableAgent, type InstalledAgent } from '../server/agents/install.ts';
import { opencode } from '../server/agents/opencode.ts';
import { qwen } from '../server/agents/qwen.ts';
import { toolsDirectory } from './tools.ts';

export type TestAgent = 'claude' | 'gemini' | 'opencode' | 'qwen';

export const testAgents: readonly InstallableAgent[] = [claude, gemini, opencode, qwen];

/** Where an agent lies for tests, or null. */
export function installedTestAgent(id: TestAgent): InstalledAgent | null {
  const agent = testAgents.find(candidate => candidate.id === id);
  return agent === undefined ? null : findInstalled(agent, toolsDirectory());
}

/** The installed program of an agent, or null. */
export function testAgentProgram(id: TestAgent): string | null {
  const installed = installedTestAgent(id);
  return installed === null ? null : join(installed.directory, installed.program);
}
