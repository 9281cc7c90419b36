// What is sent and answered, the same for every contestant.

/** Asked of the upstream in the request's query. */
export interface Asked {
  readonly reply: 'json' | 'burst' | 'paced' | 'large' | 'idle';
  readonly events?: number;
  readonly gapMs?: number;
  readonly sizeBytes?: number;
}

const eventText = 'some words of code, as long as deltas usually';

/** A Responses request of `sizeBytes` at least, told apart by `mark`. */
export function requestBody(mark: string, sizeBytes: number): string {
  const text = (filler: string) =>
    JSON.stringify({
      model: 'gpt-5-codex',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: `${mark} ${filler}` }] }],
    });
  return text('lorem ipsum '.repeat(Math.ceil(Math.max(0, sizeBytes - text('').length) / 12)));
}

/** The JSON reply of 1 KB. */
export const jsonReply = JSON.stringify({
  id: 'resp_perf',
  object: 'response',
  status: 'completed',
  model: 'gpt-5-codex',
  output: [
    {
      id: 'msg_perf',
      type: 'message',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', annotations: [], text: 'y'.repeat(700) }],
    },
  ],
  usage: { input_tokens: 20, output_tokens: 30, total_tokens: 50, input_tokens_details: { cached_tokens: 4 } },
});

/** One event of a stream, about 210 bytes as Codex gets them. `stamp` comes back to whoever measures. */
export function streamEvent(number: number, stamp: string): string {
  const data = { type: 'response.output_text.delta', item_id: 'msg_perf', output_index: 0, stamp, delta: eventText };
  return `event: response.output_text.delta\ndata: ${JSON.stringify({ ...data, sequence_number: number })}\n\n`;
}

export const streamEnd = `event: response.completed\ndata: ${JSON.stringify({
  type: 'response.completed',
  response: { ...JSON.parse(jsonReply), id: 'resp_stream' },
})}\n\n`;

export function pathOf({ reply, ...options }: Asked): string {
  const query = new URLSearchParams({ reply });
  for (const [name, value] of Object.entries(options)) query.set(name, String(value));
  return `/v1/responses?${query}`;
}

/** Nanoseconds of the clock that all processes of one machine share. */
export function nowNs(): number {
  return Number(process.hrtime.bigint());
}
