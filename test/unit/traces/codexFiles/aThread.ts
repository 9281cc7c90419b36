export const threadId = '01a1fe9f-96dd-7fa2-82b2-202fc808e71c';

interface ThreadOptions {
  /** False: as Codex wrote before it had a record per request. */
  readonly records?: boolean;
  readonly repeatCounts?: boolean;
  /** Makes it a fork, in whose file the history of the thread was copied. */
  readonly forkId?: string;
  readonly plan?: string;
  readonly provider?: string;
  readonly prompt?: string;
  readonly output?: string;
}

type Tokens = readonly [input: number, cached: number, output: number, reasoning: number];

/** The lines of a session file, shaped like those of Codex CLI 0.169: two requests with a tool call between them. */
export function aThread(options: ThreadOptions = {}) {
  const { records = true, forkId, provider = 'openai', prompt = 'Say hi.', output = 'hi' } = options;
  const lines: string[] = [];
  let total: Tokens = [0, 0, 0, 0];
  const start = Date.parse('2026-11-21T15:00:00.000Z');
  let copied = forkId !== undefined;
  const put = (second: number, type: string, payload: object) => {
    const timestamp = new Date(start + (copied ? lines.length : second * 1000)).toISOString();
    lines.push(JSON.stringify({ timestamp, ordinal: lines.length, type, payload }));
  };
  const item = (second: number, payload: object) => put(second, 'response_item', payload);
  const usage = (second: number, used: Tokens) => {
    total = total.map((sum, index) => sum + (used[index] ?? 0)) as unknown as Tokens;
    if (records) put(second, 'token_usage_record', { thread_id: threadId, usage: toTokens(used) });
    const info = { total_token_usage: toTokens(total), last_token_usage: toTokens(used) };
    const count = { type: 'token_count', info, rate_limits: { plan_type: options.plan ?? null } };
    for (let times = options.repeatCounts ? 3 : 1; times > 0; times--) put(second, 'event_msg', count);
  };
  const meta = (id: string) =>
    put(0, 'session_meta', {
      id,
      cwd: '/home/me/project',
      originator: 'codex_exec',
      cli_version: '0.169.0',
      model_provider: provider,
      base_instructions: { text: 'You are Codex.' },
    });
  if (forkId !== undefined) meta(forkId);
  meta(threadId);
  put(1, 'event_msg', { type: 'task_started' });
  put(2, 'turn_context', { model: 'gpt-5.5' });
  item(3, { type: 'message', role: 'user', content: [{ type: 'input_text', text: prompt }] });
  item(5, { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Thinking' }] });
  item(5, { type: 'function_call', name: 'exec_command', arguments: '{"cmd":"echo hi"}', call_id: 'c1' });
  usage(6, [1000, 10, 42, 7]);
  item(7, { type: 'function_call_output', call_id: 'c1', output: `Process exited with code 0\n${output}` });
  item(8, { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Done.' }] });
  usage(9, [2000, 1000, 30, 0]);
  if (forkId !== undefined) {
    copied = false;
    put(60, 'turn_context', { model: 'gpt-5.5' });
    item(61, { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Go on.' }] });
    item(62, { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Forked.' }] });
    usage(62, [500, 0, 5, 0]);
  }
  return { lines, text: () => `${lines.join('\n')}\n` };
}

function toTokens([input_tokens, cached_input_tokens, output_tokens, reasoning_output_tokens]: Tokens) {
  return { input_tokens, cached_input_tokens, output_tokens, reasoning_output_tokens };
}
