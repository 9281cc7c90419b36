import { describe, expect, it } from 'vitest';
import { reader, stream } from './aStream.ts';

describe('Gemini', () => {
  it('counts thoughts as output and joins the pieces of a text', () => {
    const path = '/v1beta/models/gemini-2.5-pro:streamGenerateContent';
    const chunk = (parts: object[], more: object = {}) => ({
      candidates: [{ content: { role: 'model', parts }, ...more }],
    });
    const reply = stream(path, [
      chunk([{ text: 'Let me ', thought: true }]),
      chunk([{ text: 'Hel' }]),
      chunk([{ text: 'lo' }, { functionCall: { name: 'f', args: { x: 1 } } }], { finishReason: 'STOP' }),
      {
        usageMetadata: {
          promptTokenCount: 7,
          candidatesTokenCount: 3,
          thoughtsTokenCount: 2,
          cachedContentTokenCount: 1,
        },
      },
    ]);
    expect(reader(path).model(path, {})).toBe('gemini-2.5-pro');
    expect(reply.usage).toEqual({ inputTokens: 7, cachedInputTokens: 1, outputTokens: 5, reasoningTokens: 2 });
    expect(reply.answered).toEqual([
      ['reasoning', 'Let me '],
      ['assistant', 'Hello'],
      ['toolCall', '{"x":1}'],
    ]);
  });

  const path = '/v1beta/models/m:streamGenerateContent';
  const candidate = (index: number, text: string, more: object = {}) => ({
    ...{ content: { role: 'model', parts: [{ text }] }, ...more },
    ...(index === 0 ? {} : { index }),
  });

  it('keeps several candidates apart, each whole, in their order', () => {
    const both = [
      candidate(0, 'Red apple', { finishReason: 'STOP' }),
      candidate(1, 'Blue sky', { finishReason: 'STOP', groundingMetadata: { webSearchQueries: ['sky'] } }),
    ];
    const streamed = stream(path, [
      { candidates: [candidate(1, 'Blue ')] },
      { candidates: [candidate(0, 'Red ')] },
      { candidates: [candidate(0, 'apple', { finishReason: 'STOP' })] },
      { candidates: [{ ...both[1], content: { parts: [{ text: 'sky' }] } }] },
    ]);
    expect(streamed.json).toMatchObject({ candidates: both });
    expect(streamed.answered).toEqual([
      ['assistant', 'Red apple'],
      ['other', 'Choice 2 of 2: Blue sky'],
    ]);
    const reply = reader(path).reply();
    reply.whole({ candidates: both });
    expect(reply.finish(false).json).toMatchObject({ candidates: both });
  });

  it('is called cut off only where neither an answer nor the prompt’s refusal ends it', () => {
    expect(stream(path, [{ promptFeedback: { blockReason: 'SAFETY' } }]).error).toBeNull();
    expect(stream(path, [{ candidates: [{ finishReason: 'SAFETY', index: 0 }] }]).error).toBeNull();
    expect(stream(path, [{ candidates: [candidate(0, 'Hel')] }]).error).toContain('ended before');
  });
});
