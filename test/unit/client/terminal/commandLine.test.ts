import { expect, it } from 'vitest';
import { agentOf, sharesCodex } from '../../../../client/terminal/commandLine.ts';

it.each([
  ['codex', 'codex'],
  ['codex exec "fix it"', 'codex'],
  ['  OPENAI_API_KEY=x DEBUG=1 codex', 'codex'],
  ['npx -y @openai/codex@latest exec x', 'codex'],
  ['npx @anthropic-ai/claude-code', 'claude'],
  ['~/.local/bin/claude -p "hello"', 'claude'],
  ['"C:\\tools\\gemini.cmd" --yolo', 'gemini'],
  ['env HTTPS_PROXY= opencode run', 'opencode'],
  ['exec qwen', 'qwen'],
  ['git commit -m "use codex"', null],
  ['cat codex', null],
  ['codexx', null],
  ['echo constructor', null],
  ['constructor', null],
  ['', null],
])('%s starts %s', (commandLine, agent) => {
  expect(agentOf(commandLine)).toBe(agent);
});

it.each([
  ['codex', true],
  ['codex "fix it"', true],
  ['npx -y @openai/codex resume --last', true],
  ['codex --no-daemon resume', false],
  ['codex exec "fix it"', false],
  ['codex -c model="x" e "fix it"', false],
  ['codex login', false],
  ['claude', false],
])('%s asks through a server that others share: %s', (commandLine, shared) => {
  expect(sharesCodex(commandLine)).toBe(shared);
});
