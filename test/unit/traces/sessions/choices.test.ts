import { expect, it, vi } from 'vitest';
import { aRecorder } from '../recordedTraffic.ts';

it('are in the conversation, marked, and found; the one that the agent goes on from is said', async () => {
  const { record, store } = aRecorder();
  const message = (role: string, content: string) => ({ role, content });
  const chat = (messages: object[], ...answers: string[]) => {
    const choices = answers.map((content, index) => ({ index, message: message('assistant', content) }));
    const response = JSON.stringify({ id: `c${messages.length}`, choices });
    const request = { model: 'm', n: answers.length, messages };
    record({ path: '/v1/chat/completions', request, response, headers: { 'thread-id': 'a' } }, messages.length);
  };
  const asked = message('user', 'A colour?');
  chat([asked], 'Vermilion.', 'Turquoise.');
  chat([asked, message('assistant', 'Turquoise.'), message('user', 'Why?')], 'It came to mind.');
  expect(store.conversation('a').map(({ kind, text, isCopied = false }) => [kind, text, isCopied])).toEqual([
    ['user', 'A colour?', false],
    ['assistant', 'Vermilion.', false],
    ['other', 'Choice 2 of 2: Turquoise.', false],
    ['assistant', 'Turquoise.', true],
    ['user', 'Why?', false],
    ['assistant', 'It came to mind.', false],
  ]);
  await vi.waitFor(() => expect(store.search('turquoise', 20)).not.toEqual([]));
});
