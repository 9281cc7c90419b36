// What Codex sends and receives in a session, made up: its request bodies grow by what every turn adds, its replies come
// as event streams. Sizes are those of recorded sessions; what a model makes unpredictable is random from a fixed seed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/root.ts';

export interface WorkloadTurn {
  /** Body of the request. */
  readonly request: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The event stream of the reply, event by event. */
  readonly events: readonly string[];
  /** Milliseconds from one event to the next. */
  readonly gapsMs: readonly number[];
  /** Random bytes behind the reply's encrypted reasoning. */
  readonly noiseBytes: number;
}

/** One session; its turns must be taken in order. `padded`: deltas carry random `obfuscation`, as api.openai.com adds. */
export function* codexSession(seed: number, turns: number, padded: boolean): Generator<WorkloadTurn> {
  const random = randomFrom(seed);
  const sources = realSources();
  const threadId = `0199${hex(random, 4)}-${hex(random, 4)}-7${hex(random, 3)}-8${hex(random, 3)}-${hex(random, 12)}`;
  const instructions = cut(sources, random, 18_000);
  const tools = Array.from({ length: 12 }, (_, index) => aTool(`tool_${index}`, cut(sources, random, 600)));
  const input: object[] = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Fix the bug.' }] }];
  for (let turn = 0; turn < turns; turn++) {
    const turnId = `0199${hex(random, 8)}`;
    const metadata = JSON.stringify({
      session_id: threadId,
      thread_id: threadId,
      turn_id: turnId,
      request_kind: 'turn',
    });
    const body = {
      ...{ model: 'gpt-5.5', instructions, input, tools, tool_choice: 'auto', parallel_tool_calls: true },
      ...{ reasoning: { effort: 'medium', summary: 'auto' }, store: false, stream: true },
      ...{ include: ['reasoning.encrypted_content'], prompt_cache_key: threadId },
      ...{ text: { verbosity: 'medium' }, client_metadata: { 'x-codex-turn-metadata': metadata } },
    };
    const request = JSON.stringify(body);
    const output = anOutput(random, sources);
    const reply = { instructions, tools, output, createdAt: 1_790_000_000 + turn * 60, usage: aUsage(request, random) };
    const events = streamOf({ ...reply, random, padded });
    yield {
      request,
      headers: { 'user-agent': 'codex_exec/0.169.0', 'thread-id': threadId, 'x-client-request-id': threadId },
      events,
      gapsMs: events.map(() => Math.floor(random() * random() * 60)),
      noiseBytes: Buffer.from(String(output[0]?.['encrypted_content']), 'base64').length,
    };
    input.push(...output, ...output.flatMap(item => resultOf(item, random, sources)));
  }
}

export type Random = () => number;
type Item = { readonly type: string; readonly id: string; readonly [field: string]: unknown };

function anOutput(random: Random, sources: string): Item[] {
  const summary = cut(sources, random, 150 + random() * 300).replaceAll('\n', ' ');
  const cmd = `sed -n ${Math.floor(random() * 900)},${Math.floor(random() * 900)}p ${cut(sources, random, 60).trim()}`;
  const encrypted = base64(random, 900 + random() * 1600);
  const summaries = [{ type: 'summary_text', text: summary }];
  const call = { name: 'exec_command', arguments: JSON.stringify({ cmd, workdir: '/repo' }) };
  const said = [
    { type: 'output_text', annotations: [], logprobs: [], text: cut(sources, random, 300 + random() * 900) },
  ];
  return [
    { id: `rs_${hex(random, 48)}`, type: 'reasoning', encrypted_content: encrypted, summary: summaries },
    ...(random() < 0.4
      ? [{ id: `msg_${hex(random, 48)}`, type: 'message', status: 'completed', role: 'assistant', content: said }]
      : []),
    {
      id: `fc_${hex(random, 48)}`,
      type: 'function_call',
      status: 'completed',
      call_id: `call_${base62(random, 24)}`,
      ...call,
    },
  ];
}

function resultOf(item: Item, random: Random, sources: string): object[] {
  if (item.type !== 'function_call') return [];
  const head = `Chunk ID: ${hex(random, 6)}\nWall time: ${random().toFixed(4)} seconds\nProcess exited with code 0\nOutput:\n`;
  const output = `${head}${cut(sources, random, 1300 + random() * 3000)}`;
  return [{ type: 'function_call_output', call_id: item['call_id'], output }];
}

interface StreamParts {
  readonly instructions: string;
  readonly tools: readonly object[];
  readonly output: readonly Item[];
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly usage: object;
  readonly random: Random;
  readonly padded: boolean;
}

function streamOf({ instructions, tools, output, createdAt, usage, random, padded }: StreamParts): string[] {
  const response = {
    ...{ id: `resp_${hex(random, 48)}`, object: 'response', created_at: createdAt, status: 'in_progress' },
    ...{ error: null, incomplete_details: null, instructions, model: 'gpt-5.5-2026-04-23', output: [] as object[] },
    ...{ parallel_tool_calls: true, tool_choice: 'auto', tools, top_p: 1, usage: null as object | null, metadata: {} },
  };
  const events: string[] = [];
  const add = (type: string, fields: object) => {
    const event = { type, sequence_number: events.length, ...fields };
    events.push(`event: ${type}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  const stream = (type: string, place: object, text: string, more: object) => {
    for (const delta of tokensOf(text, random)) {
      const padding = padded ? { obfuscation: base62(random, 16 - Math.min(delta.length, 15)) } : {};
      add(`${type}.delta`, { ...place, delta, ...more, ...padding });
    }
    add(`${type}.done`, { ...place, [type.endsWith('arguments') ? 'arguments' : 'text']: text, ...more });
  };
  add('response.created', { response });
  add('response.in_progress', { response });
  output.forEach((item, index) => {
    const place = { item_id: item.id, output_index: index };
    add('response.output_item.added', { output_index: index, item: { ...item, ...begunParts(item.type) } });
    if (item.type === 'function_call') {
      stream('response.function_call_arguments', place, String(item['arguments']), {});
    } else if (item.type === 'reasoning') {
      const [part] = item['summary'] as { text: string }[];
      stream('response.reasoning_summary_text', { ...place, summary_index: 0 }, part?.text ?? '', {});
    } else {
      const [part] = item['content'] as { text: string }[];
      stream('response.output_text', { ...place, content_index: 0 }, part?.text ?? '', { logprobs: [] });
    }
    add('response.output_item.done', { output_index: index, item });
  });
  add('response.completed', { response: { ...response, status: 'completed', output, usage } });
  return events;
}

/** As the request grows; all but what is new of it was cached. */
function aUsage(request: string, random: Random): object {
  const input = Math.floor(request.length / 4.2);
  const output = Math.floor(100 + random() * 400);
  return {
    ...{
      input_tokens: input,
      input_tokens_details: { cached_tokens: Math.max(0, input - 1100) },
      output_tokens: output,
    },
    ...{ output_tokens_details: { reasoning_tokens: Math.floor(output / 3) }, total_tokens: input + output },
  };
}

function begunParts(type: string): object {
  if (type === 'reasoning') return { encrypted_content: '', summary: [] };
  return type === 'message' ? { status: 'in_progress', content: [] } : { status: 'in_progress', arguments: '' };
}

function aTool(name: string, description: string): object {
  const properties = Object.fromEntries(
    ['cmd', 'workdir', 'timeout_ms'].map(key => [key, { type: 'string', description: description.slice(0, 80) }]),
  );
  const parameters = { type: 'object', properties, required: ['cmd'], additionalProperties: false };
  return { type: 'function', name, description, strict: false, parameters };
}

/** Pieces as tokenizers make them, about four characters long. */
function tokensOf(text: string, random: Random): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < text.length; ) {
    const length = 1 + Math.floor(random() * 6);
    tokens.push(text.slice(at, at + length));
    at += length;
  }
  return tokens;
}

/** TypeScript of a package in use: real code, as tools print it. */
export function realSources(): string {
  const directory = join(root, 'node_modules', 'zod', 'src', 'v4', 'core');
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .sort()
    .map(name => readFileSync(join(directory, name), 'utf8'))
    .join('\n');
}

export function cut(sources: string, random: Random, length: number): string {
  const from = Math.floor(random() * (sources.length - length));
  return sources.slice(from, from + Math.floor(length));
}

export function base64(random: Random, characters: number): string {
  return Buffer.from(Array.from({ length: Math.floor((characters * 3) / 4) }, () => random() * 256)).toString('base64');
}

function base62(random: Random, length: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join('');
}

function hex(random: Random, length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
}

/** mulberry32: numbers from 0 to 1, the same for a seed. */
export function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
