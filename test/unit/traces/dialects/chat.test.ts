import { describe, expect, it } from 'vitest';
import { reader, stream } from './aStream.ts';

describe('Chat Completions', () => {
  it('assembles text, reasoning, parallel calls and the usage of the last chunk', () => {
    const chunk = (delta: object, more: object = {}) => ({
      id: 'c',
      model: 'm',
      choices: [{ index: 0, delta, ...more }],
    });
    const reply = stream('/v1/chat/completions', [
      chunk({ role: 'assistant', content: 'Hel' }),
      chunk({ content: 'lo', reasoning_content: 'why' }),
      chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x"' } }] }),
      chunk({ tool_calls: [{ index: 1, id: 'b', function: { name: 'g', arguments: '{}' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }, { finish_reason: 'tool_calls' }),
      {
        id: 'c',
        choices: [],
        usage: { prompt_tokens: 9, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 3 } },
      },
    ]);
    expect(reply.answered).toEqual([
      ['reasoning', 'why'],
      ['assistant', 'Hello'],
      ['toolCall', '{"x":1}'],
      ['toolCall', '{}'],
    ]);
    expect(reply).toMatchObject({ error: null, usage: { inputTokens: 9, cachedInputTokens: 3, outputTokens: 4 } });
  });

  it('puts the choices of a stream in their order, whichever came first', () => {
    const piece = (index: number, content: string) => ({ id: 'c', choices: [{ index, delta: { content } }] });
    const reply = stream('/v1/chat/completions', [
      piece(1, 'Blue '),
      piece(0, 'Red '),
      piece(1, 'sky'),
      piece(0, 'apple'),
    ]);
    expect(reply.json).toMatchObject({
      choices: [
        { index: 0, message: { content: 'Red apple' } },
        { index: 1, message: { content: 'Blue sky' } },
      ],
    });
    expect(reply.answered).toEqual([
      ['assistant', 'Red apple'],
      ['other', 'Choice 2 of 2: Blue sky'],
    ]);
  });

  it('marks what the model said in other choices, their calls as well', () => {
    const call = { id: 'a', type: 'function', function: { name: 'exec', arguments: '{"cmd":"ls"}' } };
    const choices = [{ message: { role: 'assistant', content: 'Yes' } }, { message: { tool_calls: [call] } }];
    const { answered } = reader('/v1/chat/completions');
    expect(answered({ choices }).map(({ kind, text, callId }) => [kind, text, callId])).toEqual([
      ['assistant', 'Yes', null],
      ['other', 'Choice 2 of 2: exec {"cmd":"ls"}', null],
    ]);
  });

  it('has what was said aloud as its text, of a stream and whole', () => {
    const piece = (delta: object) => ({ id: 'c', choices: [{ index: 0, delta }] });
    const reply = stream('/v1/chat/completions', [
      piece({ role: 'assistant', content: null, audio: { id: 'audio_1', transcript: 'Hel' } }),
      piece({ audio: { data: 'UklGRg==', transcript: 'lo' } }),
      piece({ audio: { expires_at: 1 } }),
    ]);
    expect(reply).toMatchObject({ characters: 5, answered: [['assistant', 'Hello']] });
    expect(reply.json).toMatchObject({ choices: [{ message: { audio: { id: 'audio_1', transcript: 'Hello' } } }] });
    const message = {
      role: 'assistant',
      content: null,
      audio: { id: 'audio_1', data: 'UklGRg==', transcript: 'Hello' },
    };
    const { answered } = reader('/v1/chat/completions');
    expect(answered({ choices: [{ message }] })).toMatchObject([{ kind: 'assistant', text: 'Hello' }]);
  });

  it('takes an empty id for none', () => {
    const call = { id: '', function: { name: 'exec', arguments: '{}' } };
    const messages = [
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: '', content: 'a.txt' },
    ];
    expect(reader('/v1/chat/completions').asked({ messages })).toMatchObject([
      { kind: 'toolCall', callId: null },
      { kind: 'toolOutput', callId: null },
    ]);
  });

  it('reads a refusal, of a stream and whole', () => {
    const piece = (delta: object) => ({ id: 'c', choices: [{ index: 0, delta }] });
    const pieces = [
      piece({ role: 'assistant', content: '', refusal: null }),
      piece({ refusal: 'I ' }),
      piece({ refusal: 'can’t.' }),
    ];
    const reply = stream('/v1/chat/completions', pieces);
    expect(reply).toMatchObject({ characters: 8, json: { choices: [{ message: { refusal: 'I can’t.' } }] } });
    expect(reply.answered).toEqual([['assistant', 'I can’t.']]);
    const message = { role: 'assistant', content: null, refusal: 'I can’t.' };
    const chat = reader('/v1/chat/completions');
    const refused = [{ kind: 'assistant', text: 'I can’t.' }];
    expect(chat.answered({ choices: [{ message }] })).toMatchObject(refused);
    expect(chat.asked({ messages: [message] })).toMatchObject(refused);
    const parts = [{ type: 'refusal', refusal: 'I can’t.' }];
    expect(chat.asked({ messages: [{ role: 'assistant', content: parts }] })).toMatchObject(refused);
  });

  it('reads calls without an id, as the API had them at first, and their outputs', () => {
    const piece = (function_call: object) => ({ id: 'c', choices: [{ index: 0, delta: { function_call } }] });
    const pieces = [
      piece({ name: 'read', arguments: '' }),
      piece({ arguments: '{"path"' }),
      piece({ arguments: ':"a"}' }),
    ];
    const reply = stream('/v1/chat/completions', pieces);
    const function_call = { name: 'read', arguments: '{"path":"a"}' };
    expect(reply).toMatchObject({ characters: 12, json: { choices: [{ message: { function_call } }] } });
    expect(reply.answered).toEqual([['toolCall', '{"path":"a"}']]);
    const output = { role: 'function', name: 'read', content: 'text of a' };
    expect(
      reader('/v1/chat/completions').asked({ messages: [{ role: 'assistant', content: null, function_call }, output] }),
    ).toEqual([
      { kind: 'toolCall', text: '{"path":"a"}', toolName: 'read', callId: null },
      { kind: 'toolOutput', text: 'text of a', toolName: 'read', callId: null },
    ]);
  });

  it('reads a whole answer', () => {
    const reply = reader('/chat/completions').reply();
    reply.whole({
      id: 'x',
      model: 'm',
      choices: [{ message: { role: 'assistant', content: 'hi' } }],
      usage: { prompt_tokens: 1, completion_tokens: 1 },
    });
    expect(reply.finish(false)).toMatchObject({ model: 'm', error: null, usage: { inputTokens: 1 } });
  });
});
