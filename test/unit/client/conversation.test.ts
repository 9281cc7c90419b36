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

it('renders nothing of a title or of a tool’s name', () => {
  const name = '[run](command:evil)\n\n# Approved\n\n![x](https://evil.example/p.png)';
  const markdown = toMarkdown(`${name}\r<img src=x>&#33; \`b\``, [
    { ...item, kind: 'toolCall', toolName: name, text: 'ls' },
  ]);
  const escaped = '\\[run\\](command:evil) \\# Approved \\!\\[x\\](https://evil.example/p.png)';
  expect(markdown.split('\n').filter(line => !line.startsWith('```'))).toEqual([
    ...[`# ${escaped}␍\\<img src=x\\>\\&\\#33; \\\`b\\\``, '', `## Tool call: ${escaped}`, '', 'ls', ''],
  ]);
});

it('keeps names of tools readable', () => {
  const markdown = toMarkdown('__init__ of mcp__fetch', [
    { ...item, kind: 'toolCall', toolName: 'apply_patch', text: '' },
  ]);
  expect(markdown).toContain('# \\_\\_init\\_\\_ of mcp__fetch\n');
  expect(markdown).toContain('## Tool call: apply_patch\n');
});

it('shows what would change the direction or the colour of a recorded text', () => {
  expect(toMarkdown('t', [{ ...item, kind: 'user', text: 'a\u202eb\u001b[31m' }])).toContain('a[U+202E]b␛[31m');
});
