import { expect, it } from 'vitest';
import { toMarkdown } from '../../../client/review/conversation.ts';

const item = { exchangeId: 'e1', toolName: null, callId: null };

it('shows a recorded conversation in order, with its tools, and the system text last', () => {
  const markdown = toMarkdown('Add a median', [
    { ...item, kind: 'system', text: 'You are an agent.' },
    { ...item, kind: 'user', text: 'Add a median function.' },
    { ...item, kind: 'toolCall', toolName: 'shell', text: 'node --test' },
  ]);
  expect(markdown).toBe(
    '# Add a median\n\n## User\n\n```text\nAdd a median function.\n```\n\n## Tool call: shell\n\n```text\nnode --test\n```\n\n## System\n\n```text\nYou are an agent.\n```\n',
  );
});

it('lets nothing that was recorded out of its fence', () => {
  const markdown = toMarkdown('t', [{ ...item, kind: 'assistant', text: 'a\n````\n[click](command:evil)\n````' }]);
  expect(markdown).toContain('`````text\na\n````\n[click](command:evil)\n````\n`````');
});
