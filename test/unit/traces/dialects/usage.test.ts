import { describe, expect, it } from 'vitest';
import type { Reply } from '../../../../server/traces/dialects/dialect.ts';
import { dialectOf } from '../../../../server/traces/dialects/index.ts';

function stream(path: string, events: readonly object[]): Reply {
  const reply = dialectOf(path)?.reply();
  if (reply === undefined) throw new Error(`no dialect for ${path}`);
  for (const event of events) reply.event(event);
  return reply.finish(false);
}

describe('what Chat Completions used', () => {
  it.each([
    ['beside the completion, by the sum', { total_tokens: 14_428, reasoning: 2809 }, 4308],
    ['beside the completion, being more than it', { reasoning: 2809 }, 4308],
    ['in the completion', { total_tokens: 11_619, reasoning: 1000 }, 1499],
    ['in the completion, where nothing says otherwise', { reasoning: 1000 }, 1499],
    ['nowhere', { total_tokens: 11_619 }, 1499],
  ])('counts reasoning as output that is reported %s', (_, { reasoning, ...usage }: Record<string, number>, output) => {
    const counts = { prompt_tokens: 10_120, completion_tokens: 1499, ...usage };
    const details = reasoning === undefined ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } };
    const reply = stream('/v1/chat/completions', [{ id: 'c', choices: [], usage: { ...counts, ...details } }]);
    expect(reply.usage).toMatchObject({ outputTokens: output, reasoningTokens: reasoning ?? null });
  });

  it('reads what was written to the cache', () => {
    const details = { cached_tokens: 3, cache_write_tokens: 4 };
    const usage = { prompt_tokens: 9, completion_tokens: 1, prompt_tokens_details: details };
    expect(stream('/v1/chat/completions', [{ id: 'c', choices: [], usage }]).cacheWriteTokens).toBe(4);
  });
});

describe('what Messages used', () => {
  it('keeps the figures of the start where the end has none', () => {
    const usage = { input_tokens: 5, cache_read_input_tokens: 100, cache_creation_input_tokens: 20, output_tokens: 1 };
    const none = { input_tokens: null, cache_read_input_tokens: null, cache_creation_input_tokens: null };
    const reply = stream('/v1/messages', [
      { type: 'message_start', message: { id: 'm1', model: 'claude', content: [], usage } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { ...none, output_tokens: 30, other: null } },
      { type: 'message_stop' },
    ]);
    expect(reply.usage).toMatchObject({ inputTokens: 125, cachedInputTokens: 100, outputTokens: 30 });
    expect(reply).toMatchObject({
      cacheWriteTokens: 20,
      json: { usage: { ...usage, output_tokens: 30, other: null } },
    });
  });
});
