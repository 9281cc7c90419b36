import { expect, it } from 'vitest';
import { agentOfCommand } from '../../../server/agents/recorded.ts';

it.each([
  [['claude', '-p', 'hi'], 'claude'],
  [['/opt/bin/opencode', 'run'], 'opencode'],
  [['C:\\tools\\gemini.cmd'], 'gemini'],
  [['npx', '-y', '@qwen-code/qwen-code@0.15.10', 'hi'], 'qwen'],
  [['npm', 'exec', '@google/gemini-cli'], 'gemini'],
  [['pnpm', 'dlx', 'opencode-ai'], 'opencode'],
  [['npx', 'cline'], 'cline'],
  [['node', '/usr/lib/node_modules/@github/copilot/index.js'], 'copilot'],
  [['node', '--no-warnings', './pi.js'], 'pi'],
])('knows the agent that %j starts', (argv, id) => {
  expect(agentOfCommand(argv)?.id).toBe(id);
});

it.each([[['bash', '-c', 'claude']], [['node', 'server.js']], [['npx']], [['vim', 'codex']], [[]]])(
  'knows no agent in %j',
  argv => {
    expect(agentOfCommand(argv)).toBeNull();
  },
);
