import { describe, expect, it } from 'vitest';
import { codex, parseCodexLine } from '../../../server/agents/codex.ts';
import { command } from '../../../server/agents/command.ts';
import { agents, findAgent, withUniqueIds } from '../../../server/agents/index.ts';

const context = {
  program: ['/opt/agent/bin/codex'] as const,
  workdir: '/app',
  home: '/home/agent',
  instruction: 'Fix it.',
  model: 'gpt-5.5',
  baseUrl: 'http://127.0.0.1:18080/v1',
  token: 'tok',
  command: null,
};

describe('the Codex agent', () => {
  it('gets its instruction on standard input and its token by the environment, never as an argument', () => {
    const launch = codex.launch(context);
    expect(launch.stdin).toBe('Fix it.');
    expect(launch.env).toEqual({ COACH_TOKEN: 'tok' });
    expect(launch.argv.join(' ')).not.toContain('tok ');
    expect(launch.argv.at(-1)).toBe('-');
  });

  it('talks to the proxy only, over plain HTTP with SSE', () => {
    expect(codex.launch(context).argv).toContain(
      'model_providers.coach={name="coach",base_url="http://127.0.0.1:18080/v1",env_key="COACH_TOKEN",request_max_retries=2,stream_max_retries=2}',
    );
  });

  it('has a package for each platform of Codex and none for others', () => {
    expect(codex.package?.platform('linux', 'x64')).toEqual({
      spec: '@openai/codex@0.169.0-linux-x64',
      directory: 'vendor/x86_64-unknown-linux-musl',
      program: 'bin/codex',
    });
    expect(codex.package?.platform('win32', 'arm64')?.program).toBe('bin/codex.exe');
    expect(codex.package?.platform('freebsd', 'x64')).toBeNull();
  });

  it.each([
    ['{"type":"thread.started","thread_id":"x"}', null],
    [
      '{"type":"item.completed","item":{"id":"1","type":"agent_message","text":"Done."}}',
      { kind: 'message', text: 'Done.' },
    ],
    ['{"type":"item.started","item":{"type":"command_execution","command":"ls"}}', { kind: 'command', text: 'ls' }],
    ['{"type":"item.completed","item":{"type":"command_execution","command":"ls"}}', null],
    [
      '{"type":"item.completed","item":{"type":"file_change","changes":[{"path":"/app/a.js","kind":"add"}]}}',
      { kind: 'edit', text: 'add /app/a.js' },
    ],
    ['{"type":"error","message":"Reconnecting... 1/2"}', { kind: 'error', text: 'Reconnecting... 1/2' }],
    ['{"type":"turn.failed","error":{"message":"no"}}', { kind: 'error', text: 'no' }],
    ['{"type":"item.completed","item":{"type":"error","message":"metadata"}}', { kind: 'message', text: 'metadata' }],
    [
      '{"type":"turn.completed","usage":{"input_tokens":5,"cached_input_tokens":1,"output_tokens":2}}',
      {
        kind: 'usage',
        text: 'Turn completed.',
        usage: { inputTokens: 5, cachedInputTokens: 1, outputTokens: 2, reasoningTokens: null },
      },
    ],
    ['not json', null],
    ['[1]', null],
    ['{"type":"item.completed","item":null}', null],
    ['{"type":"item.completed","item":{"type":"file_change","changes":"?"}}', null],
  ])('reads %s', (line, event) => {
    expect(parseCodexLine(line)).toEqual(event);
  });
});

describe('the command agent', () => {
  it('fills in instruction and model, also when they hold patterns of replacement', () => {
    const template = ['run', '--say={instruction}', '{model}'];
    const launch = command.launch({ ...context, instruction: 'cost $& $1', command: template });
    expect(launch.argv).toEqual(['run', '--say=cost $& $1', 'gpt-5.5']);
  });

  it('says what it lacks without a command', () => {
    expect(() => command.launch(context)).toThrow(/needs a command/);
  });
});

describe('the registry of agents', () => {
  it('finds an agent by its id and names those it has', () => {
    expect(findAgent('codex').title).toBe('Codex CLI');
    expect(() => findAgent('nobody')).toThrow(
      expect.objectContaining({ code: 'agent.unknown', hint: expect.stringContaining('oracle') }),
    );
  });

  it('refuses two agents of one id', () => {
    expect(() => withUniqueIds([...agents, codex])).toThrow(/codex/);
  });
});
