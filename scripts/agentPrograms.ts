// Other agents' real programs, for the tests that record them: pinned, from npm, kept between runs.
import { join } from 'node:path';
import type { AgentPackage } from '../server/agents/agent.ts';
import { findInstalled, type InstallableAgent } from '../server/agents/install.ts';
import { toolsDirectory } from './tools.ts';

export type TestAgent = 'claude' | 'opencode' | 'qwen';

/** Only the platform's own package: the one above it is a launcher with an install script. */
function platformPackage(spec: { prefix: string; version: string; suffix?: string; program: string }): AgentPackage {
  const name = `${spec.prefix}-${process.platform}-${process.arch}${spec.suffix ?? ''}`;
  const known = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];
  return {
    name,
    version: spec.version,
    platform: (os, arch) =>
      known.includes(`${os}-${arch}`)
        ? { spec: `${name}@${spec.version}`, directory: '.', program: spec.program }
        : null,
  };
}

export const testAgents: readonly (InstallableAgent & { readonly id: TestAgent })[] = [
  {
    id: 'claude',
    title: 'Claude Code',
    package: platformPackage({ prefix: '@anthropic-ai/claude-code', version: '2.1.197', program: 'claude' }),
  },
  {
    id: 'opencode',
    title: 'opencode',
    package: platformPackage({
      prefix: 'opencode',
      version: '1.18.33',
      // The other one needs a processor with AVX2.
      ...(process.arch === 'x64' ? { suffix: '-baseline' } : {}),
      program: 'bin/opencode',
    }),
  },
  {
    id: 'qwen',
    title: 'Qwen Code',
    package: {
      name: '@qwen-code/qwen-code',
      version: '0.15.10',
      platform: () => ({ spec: '@qwen-code/qwen-code@0.15.10', directory: '.', program: 'cli.js' }),
    },
  },
];

/** The installed program of an agent, or null. */
export function testAgentProgram(id: TestAgent): string | null {
  const agent = testAgents.find(candidate => candidate.id === id);
  const installed = agent === undefined ? null : findInstalled(agent, toolsDirectory());
  return installed === null ? null : join(installed.directory, installed.program);
}
