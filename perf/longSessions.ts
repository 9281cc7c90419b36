// Two sessions with 50 MB of conversation each, made up: one as Codex keeps it in its own file, one as the proxy recorded it.
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { RecorderCore } from '../server/traces/recorder/recorderCore.ts';
import { base64, cut, type Random, randomFrom, realSources, type WorkloadTurn } from './codexWorkload.ts';
import { feed } from './storage.ts';

/** Codex begins a conversation anew, from a summary, when it no longer fits the model. */
const contextBytes = 400_000;
const promptEvery = 20;

interface Turn {
  readonly prompt: string | null;
  readonly reasoning: object;
  readonly call: object;
  readonly output: string;
  readonly callId: string;
}

/** Turns with one command each, whose output is as long as Codex lets it be. */
function* turnsOf(random: Random, sources: string): Generator<Turn> {
  for (let number = 0; ; number++) {
    const callId = `call_${number}`;
    const summary = [{ type: 'summary_text', text: cut(sources, random, 200) }];
    const command = JSON.stringify({ cmd: cut(sources, random, 60), workdir: '/repo' });
    const printed = cut(sources, random, 8000 + random() * 24_000);
    yield {
      prompt: number % promptEvery === 0 ? `Prompt ${number / promptEvery + 1}: ${cut(sources, random, 300)}` : null,
      reasoning: { type: 'reasoning', id: `rs_${number}`, summary, encrypted_content: base64(random, 1600) },
      call: { type: 'function_call', id: `fc_${number}`, name: 'exec_command', arguments: command, call_id: callId },
      output: `Chunk ID: ${number}\nProcess exited with code 0\nOutput:\n${printed}`,
      callId,
    };
  }
}

const message = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });

/** The session file of a thread below `codexHome`; half of it are the events that Codex keeps for its own display. */
export function writeCodexSession(codexHome: string, threadId: string, sizeBytes: number): void {
  const directory = join(codexHome, 'sessions', '2026', '11', '20');
  mkdirSync(directory, { recursive: true });
  const file = openSync(join(directory, `rollout-2026-11-20T10-00-00-${threadId}.jsonl`), 'w');
  const random = randomFrom(1);
  const sources = realSources();
  const startMs = Date.parse('2026-11-20T10:00:00Z');
  let [written, ordinal] = [0, 0];
  const put = (type: string, payload: object) => {
    const timestamp = new Date(startMs + ordinal * 3000).toISOString();
    written += writeSync(file, `${JSON.stringify({ timestamp, ordinal: ordinal++, type, payload })}\n`);
  };
  const base = { text: cut(sources, random, 18_000) };
  const meta = { id: threadId, cwd: '/home/me/project', originator: 'codex_exec', cli_version: '0.169.0' };
  put('session_meta', { ...meta, model_provider: 'openai', base_instructions: base });
  put('turn_context', { model: 'gpt-5.5' });
  const usage = { input_tokens: 50_000, cached_input_tokens: 40_000, output_tokens: 300, reasoning_output_tokens: 100 };
  for (const { prompt, reasoning, call, output, callId } of turnsOf(random, sources)) {
    if (prompt !== null) put('response_item', message(prompt));
    put('response_item', reasoning);
    put('response_item', call);
    put('token_usage_record', { thread_id: threadId, turn_id: 't', usage });
    put('event_msg', { type: 'item_completed', thread_id: threadId, item: { id: callId, aggregatedOutput: output } });
    put('response_item', { type: 'function_call_output', call_id: callId, output });
    put('event_msg', { type: 'token_count', info: { total_token_usage: usage, last_token_usage: usage } });
    if (written > sizeBytes) break;
  }
  closeSync(file);
}

/** Lets the recorder store a session with so much conversation; its requests repeat it, as those of Codex do. */
export function recordLongSession(tracesDb: string, threadId: string, sizeBytes: number): void {
  const core = new RecorderCore(tracesDb, 120_000, () => undefined);
  let connection = 0;
  for (const turn of longSession(threadId, sizeBytes)) feed(core, ++connection, turn);
  core.accept({ kind: 'stop' });
}

function* longSession(threadId: string, sizeBytes: number): Generator<WorkloadTurn> {
  const random = randomFrom(2);
  const sources = realSources();
  const instructions = cut(sources, random, 18_000);
  let input: string[] = [];
  let [said, inContext] = [0, 0];
  for (const { prompt, reasoning, call, output, callId } of turnsOf(random, sources)) {
    if (inContext > contextBytes) {
      input = [JSON.stringify(message(`Summary so far: ${cut(sources, random, 2000)}`))];
      inContext = 0;
    }
    if (prompt !== null) input.push(JSON.stringify(message(prompt)));
    const head = JSON.stringify({ model: 'gpt-5.5', instructions, stream: true, prompt_cache_key: threadId });
    yield {
      request: `${head.slice(0, -1)},"input":[${input.join(',')}]}`,
      headers: { 'user-agent': 'codex_exec/0.169.0', 'thread-id': threadId, 'x-client-request-id': threadId },
      events: eventsOf([reasoning, call]),
      gapsMs: [],
      noiseBytes: 0,
    };
    const answer = JSON.stringify({ type: 'function_call_output', call_id: callId, output });
    input.push(JSON.stringify(reasoning), JSON.stringify(call), answer);
    inContext += answer.length;
    said += output.length;
    if (said > sizeBytes) return;
  }
}

function eventsOf(output: readonly object[]): string[] {
  const response = {
    id: 'resp_1',
    object: 'response',
    model: 'gpt-5.5',
    status: 'in_progress',
    output: [] as object[],
  };
  const usage = { input_tokens: 50_000, output_tokens: 300, total_tokens: 50_300 };
  const event = (type: string, fields: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  return [
    event('response.created', { response }),
    ...output.map((item, index) => event('response.output_item.done', { output_index: index, item })),
    event('response.completed', { response: { ...response, status: 'completed', output, usage } }),
  ];
}
