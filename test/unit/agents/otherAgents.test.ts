import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../../scripts/root.ts';
import { routeOf } from '../../../server/agents/agent.ts';
import { findAgent } from '../../../server/agents/index.ts';

const context = {
  program: ['/opt/agent/program'] as const,
  workdir: '/app',
  home: '/home/agent',
  instruction: 'Fix it.',
  model: null,
  baseUrl: 'http://127.0.0.1:18080/v1',
  token: 'one-time-token',
  command: null,
};

/** What the agent really printed, in one turn of a command and a last word. */
function eventsOf(id: string, file = id) {
  const lines = readFileSync(join(root, 'test', 'fixtures', 'agents', `${file}.jsonl`), 'utf8').split('\n');
  return lines.flatMap(line => findAgent(id).parseLine(line));
}

const command = { kind: 'command', text: 'echo hi > made.txt; git log --oneline' };
const message = { kind: 'message', text: 'All done.' };
const usage = { inputTokens: 2400, cachedInputTokens: 400, outputTokens: 80, reasoningTokens: null };

describe.each(['claude', 'gemini', 'qwen'])('what %s prints', id => {
  it('tells its commands, its words and the tokens of the turn, cached ones included', () => {
    expect(eventsOf(id)).toEqual([command, message, { kind: 'usage', text: 'Turn completed.', usage }]);
  });
});

describe('what opencode prints', () => {
  it('tells the tokens of each step, with what was cached and what was reasoning', () => {
    expect(eventsOf('opencode')).toEqual([
      { kind: 'message', text: 'done' },
      {
        kind: 'usage',
        text: 'Step completed.',
        usage: { inputTokens: 1000, cachedInputTokens: 100, outputTokens: 50, reasoningTokens: 7 },
      },
    ]);
  });

  it('names errors, edits and other tools', () => {
    const { parseLine } = findAgent('opencode');
    const tool = (name: string, input: object) =>
      parseLine(JSON.stringify({ type: 'tool_use', part: { type: 'tool', tool: name, state: { input } } }));
    expect(tool('edit', { filePath: '/app/a.js', oldString: 'a' })).toEqual([{ kind: 'edit', text: '/app/a.js' }]);
    expect(tool('read', { filePath: '/app/a.js' })).toEqual([{ kind: 'tool', text: 'read {"filePath":"/app/a.js"}' }]);
    const error = { name: 'APIError', data: { message: 'Bad Gateway' } };
    expect(parseLine(JSON.stringify({ type: 'error', error }))).toEqual([
      { kind: 'error', text: 'APIError: Bad Gateway' },
    ]);
  });
});

describe('an agent of several', () => {
  it('tells that it can not reach its model', () => {
    const errors = eventsOf('claude', 'claude-retries');
    expect(errors).toHaveLength(6);
    expect(errors[0]).toEqual({ kind: 'error', text: 'Attempt 1 of 10 failed: 502 server_error' });
  });

  it('says nothing for what is no line of its own', () => {
    for (const id of ['claude', 'gemini', 'qwen', 'opencode']) {
      for (const line of [
        '',
        'warning: x',
        '{"type":"assistant"}',
        '{"type":1}',
        'null',
        '[{}]',
        '{"type":"tool_use"',
      ]) {
        expect(findAgent(id).parseLine(line), `${id} ${line}`).toEqual([]);
      }
    }
  });
});

describe.each(['claude', 'gemini', 'opencode', 'qwen'])('the launch of %s', id => {
  const agent = findAgent(id);

  it('hands over instruction and token where no list of processes shows them, and leads to the proxy only', () => {
    const launch = agent.launch(context);
    expect(launch.stdin).toBe('Fix it.');
    expect(launch.argv.join(' ')).not.toContain('one-time-token');
    expect(JSON.stringify(launch.env)).toContain('one-time-token');
    expect(JSON.stringify(launch.env)).toContain('http://127.0.0.1:18080');
    const urls = JSON.stringify([launch.argv, launch.env, launch.files]).match(/https?:\/\/[^"\\/]+/g);
    expect(new Set(urls)).toEqual(new Set(['http://127.0.0.1:18080']));
  });

  it('is pinned, for the platforms that its vendor serves', () => {
    const found = agent.package?.platform('linux', 'x64');
    expect(found?.spec.endsWith(`@${agent.package?.version}`)).toBe(true);
    expect(agent.package?.platform('linux', 'arm64')).not.toBeNull();
  });
});

describe('the way of opencode', () => {
  const opencode = findAgent('opencode');

  it('goes to the provider that the model names, with the key of that one', () => {
    expect(routeOf(opencode, null)).toMatchObject({ host: 'api.openai.com', keyName: 'OPENAI_API_KEY' });
    expect(routeOf(opencode, 'anthropic/claude-sonnet-4-6')).toMatchObject({
      host: 'api.anthropic.com',
      keyName: 'ANTHROPIC_API_KEY',
    });
  });

  it.each(['gpt-5.5', 'elsewhere/model', 'openai'])('is refused for %s, with what there is', model => {
    expect(() => routeOf(opencode, model)).toThrow(/no way to the model/);
  });
});
