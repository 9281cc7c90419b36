import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../../../server/base/log.ts';
import { normaliseOutput } from '../../../../server/proxy/replay/normalise.ts';
import { type Replay, startReplay } from '../../../../server/proxy/replay/replayServer.ts';
import { Script, scriptedSource } from '../../../../server/proxy/replay/scripted.ts';

const usage = { inputTokens: 100, cachedInputTokens: 0, outputTokens: 10, reasoningTokens: null };
const call = (callId: string) => ({
  type: 'function_call',
  call_id: callId,
  name: 'exec_command',
  arguments: '{"cmd":"ls <cwd>"}',
});
const script: Script = {
  format: 1,
  source: 'scripted',
  title: 'List',
  model: 'gpt-5.5',
  prompt: 'List the files.',
  steps: [
    { expect: [], respond: [call('a'), call('b')], usage },
    {
      expect: [
        { callId: 'a', output: 'Wall time: 0.1 seconds\nOutput:\n<cwd>/x.txt' },
        { callId: 'b', output: 'two' },
      ],
      respond: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Done.' }] }],
      usage,
    },
  ],
};

const user = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const context = user('<environment_context>\n  <cwd>/work/here</cwd>\n</environment_context>');
const outputOf = (callId: string, output: string) => ({ type: 'function_call_output', call_id: callId, output });

async function aReplay(): Promise<Replay> {
  const replay = await startReplay(scriptedSource(script), silentLog);
  onTestFinished(() => replay.dispose());
  return replay;
}

async function ask(replay: Replay, input: object[]): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${replay.origin}/v1/responses`, {
    method: 'POST',
    body: JSON.stringify({ model: 'm', input }),
  });
  return { status: answer.status, text: await answer.text() };
}

describe('a scripted replay', () => {
  it('shows no secret where an output differs', async () => {
    const replay = await aReplay();
    const outputs = [outputOf('a', 'password=0dNSr8Lq2ZpX4vTb'), outputOf('b', 'two')];
    const { status, text } = await ask(replay, [context, user('task'), call('a'), call('b'), ...outputs]);
    expect([status, text]).toEqual([400, expect.stringContaining('password=[redacted]')]);
    expect(text + replay.failures().join()).not.toContain('0dNSr8Lq2ZpX4vTb');
  });

  it('answers each step by what the request holds, in the agent’s own directory', async () => {
    const replay = await aReplay();
    const first = await ask(replay, [context, user('Whatever the task says')]);
    expect(first.status).toBe(200);
    expect(first.text).toContain('ls /work/here');
    const outputs = [outputOf('b', 'two'), outputOf('a', 'Wall time: 12.7 seconds\nOutput:\n/work/here/x.txt\n')];
    const second = await ask(replay, [context, user('task'), call('a'), call('b'), ...outputs]);
    expect(second.text).toContain('"status":"completed"');
    expect(second.text).toContain('"input_tokens":100');
    expect(replay.failures()).toEqual([]);
  });

  it('serves agents that are at different steps at the same time', async () => {
    const replay = await aReplay();
    const late = [
      context,
      user('t'),
      outputOf('a', 'Wall time: 1 seconds\nOutput:\n/work/here/x.txt'),
      outputOf('b', 'two'),
    ];
    const answers = await Promise.all([
      ask(replay, [context, user('t')]),
      ask(replay, late),
      ask(replay, [context, user('t')]),
    ]);
    expect(answers.map(answer => answer.text.includes('Done.'))).toEqual([false, true, false]);
  });

  it('counts from the last prompt: a second turn starts at the first step', async () => {
    const replay = await aReplay();
    const { status, text } = await ask(replay, [context, user('t'), outputOf('z', 'old'), user('again')]);
    expect([status, text.includes('function_call')]).toEqual([200, true]);
  });

  it.each([
    [
      'another output',
      [outputOf('a', 'Output:\nnothing'), outputOf('b', 'two')],
      /Step 2, call a: the output differs in line 1/,
    ],
    [
      'an unknown call',
      [outputOf('a', 'Wall time: 1 seconds\nOutput:\n<cwd>/x.txt'), outputOf('c', 'x')],
      /no output of call b/,
    ],
    ['half of the outputs', [outputOf('a', 'x')], /has 1 tool outputs/],
    [
      'more than was recorded',
      ['a', 'b', 'c'].map(id => outputOf(id, 'x')),
      /has 3 tool outputs; the recording ends after 2/,
    ],
  ])('refuses %s with 400, which Codex takes as final, and keeps the reason', async (_case, outputs, reason) => {
    const replay = await aReplay();
    const { status, text } = await ask(replay, [context, user('t'), ...outputs]);
    expect(status).toBe(400);
    expect(JSON.parse(text).error).toMatchObject({ code: 'replay_mismatch', message: expect.stringMatching(reason) });
    expect(replay.failures()).toHaveLength(1);
  });

  it('lists its model and sends WebSockets to plain HTTP', async () => {
    const replay = await aReplay();
    expect(await (await fetch(`${replay.origin}/v1/models`)).json()).toMatchObject({ data: [{ id: 'gpt-5.5' }] });
    expect((await fetch(`${replay.origin}/elsewhere`)).status).toBe(404);
  });

  it('takes only recordings of its format', () => {
    expect(Script.safeParse(script).success).toBe(true);
    expect(Script.safeParse({ ...script, format: 2 }).success).toBe(false);
    expect(Script.safeParse({ ...script, steps: [] }).success).toBe(false);
  });
});

describe('outputs are compared without', () => {
  it.each([
    [
      'Chunk ID: b85690\nWall time: 0.0393 seconds\nOriginal token count: 5',
      'Chunk ID: 00ff00\nWall time: 12 seconds\nOriginal token count: 7',
    ],
    ['✔ adds (0.52ms)\nℹ duration_ms 57.9', '✔ adds (1.2ms)\nℹ duration_ms 103.12'],
    ['# duration_ms: 1.2\n', '# duration_ms: 99\n'],
    ['at /work/a/x.js and /tmp/one/y', 'at /work/a/x.js and /tmp/two/y'],
    ['2026-01-02T03:04:05.678Z ran', '2027-11-12T13:14:15.9Z ran'],
    ['line \r\nline', 'line\nline\n\n'],
  ])('what varies: %j', (one, other) => {
    expect(normaliseOutput(one, '/work/a')).toBe(normaliseOutput(other, '/work/a'));
  });

  it('losing what matters', () => {
    expect(normaliseOutput('pass 3\nfail 0', null)).not.toBe(normaliseOutput('pass 2\nfail 1', null));
    expect(normaliseOutput('/work/a/x', '/work/a')).toBe('<cwd>/x');
    expect(normaliseOutput('src/app/x', '/app')).toBe('src/app/x');
  });

  it.each([
    ['/app/x', '<cwd>/x'],
    ['cd /app', 'cd <cwd>'],
    ['in /app.', 'in <cwd>.'],
    ['<cwd>/app</cwd>', '<cwd><cwd></cwd>'],
    ['"{\\"out\\":\\"a\\n/app/x\\"}"', '"{\\"out\\":\\"a\\n<cwd>/x\\"}"'],
    ['\u001b[36m/app/x\u001b[0m', '\u001b[36m<cwd>/x\u001b[0m'],
    ['-I/app/include', '-I<cwd>/include'],
    ['/private/app/x', '<cwd>/x'],
    ['file:///app/x', 'file://<cwd>/x'],
    ['/apps /app-2 /app_2 /app.js /appé', '/apps /app-2 /app_2 /app.js /appé'],
    [
      'src/app ./app ../app @/app ~/app [id]/app {x}/app **/app',
      'src/app ./app ../app @/app ~/app [id]/app {x}/app **/app',
    ],
    ['http://app:3000/app', 'http://app:3000/app'],
  ])('the working directory, as a whole name only: %j', (text, expected) => {
    expect(normaliseOutput(text, '/app')).toBe(expected);
    expect(normaliseOutput(text, '/app/')).toBe(expected);
    expect(normaliseOutput(text, '/')).toBe(text);
  });
});
