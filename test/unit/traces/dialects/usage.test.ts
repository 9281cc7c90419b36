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

  it('reads what DeepSeek has read from its cache', () => {
    const usage = { prompt_tokens: 9, completion_tokens: 1, prompt_cache_hit_tokens: 6, prompt_cache_miss_tokens: 3 };
    const reply = stream('/v1/chat/completions', [{ id: 'c', choices: [], usage }]);
    expect(reply.usage).toMatchObject({ inputTokens: 9, cachedInputTokens: 6 });
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

describe('what Messages thought', () => {
  it.each([
    [{ output_tokens: 30, output_tokens_details: { thinking_tokens: 12 } }, 12],
    [{ output_tokens: 30 }, null],
  ])('is reasoning, a part of the output: %j', (usage, reasoningTokens) => {
    const reply = stream('/v1/messages', [
      { type: 'message_start', message: { id: 'm1', content: [], usage: { input_tokens: 5, output_tokens: 1 } } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage },
      { type: 'message_stop' },
    ]);
    expect(reply.usage).toEqual({ inputTokens: 5, cachedInputTokens: null, outputTokens: 30, reasoningTokens });
  });
});

describe('what Gemini used', () => {
  const chunk = (parts: readonly object[], usageMetadata: object) => ({
    candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }],
    usageMetadata,
  });
  const usageOf = (...chunks: readonly object[]) => stream('/v1beta/models/m:streamGenerateContent', chunks).usage;

  it('counts as input what its own tools put before it', () => {
    const counts = { promptTokenCount: 3, toolUsePromptTokenCount: 100, candidatesTokenCount: 8, totalTokenCount: 111 };
    expect(usageOf(chunk([{ text: 'x' }], counts))).toMatchObject({ inputTokens: 103, outputTokens: 8 });
  });

  it.each([
    ['nothing', { promptTokenCount: 5000, totalTokenCount: 5000 }, 0],
    ['what the total has beyond', { promptTokenCount: 5000, toolUsePromptTokenCount: 10, totalTokenCount: 5017 }, 7],
    ['nothing, not less', { promptTokenCount: 5000, totalTokenCount: 4000 }, 0],
    ['not known without a total', { promptTokenCount: 5000 }, null],
    ['not known without the input', { totalTokenCount: 5000 }, null],
  ])('takes the output of an answer that says nothing to be %s', (_, counts, outputTokens) => {
    const refused = { candidates: [{ content: {}, finishReason: 'MALFORMED_FUNCTION_CALL' }], usageMetadata: counts };
    const blocked = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: counts };
    expect(usageOf(refused).outputTokens).toBe(outputTokens);
    expect(usageOf(blocked).outputTokens).toBe(outputTokens);
    expect(usageOf(chunk([{ text: '' }], counts)).outputTokens).toBe(outputTokens);
  });

  it('does not know the output of an answer that was cut off before it was counted', () => {
    const usage = usageOf(chunk([{ text: 'Hello' }], { promptTokenCount: 5000, totalTokenCount: 5000 }));
    expect(usage).toMatchObject({ inputTokens: 5000, outputTokens: null });
  });
});
