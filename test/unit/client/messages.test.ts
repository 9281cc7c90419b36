import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { askText, showError, showInformation, showWarning, unlinked } from '../../../client/messages.ts';
import { withCancellableProgress } from '../../../client/progress.ts';

const editor = vi.hoisted(() => ({ shown: [] as unknown[][] }));
vi.mock('vscode', () => {
  const show = async (...words: unknown[]) => void editor.shown.push(words);
  return {
    ProgressLocation: { Notification: 15 },
    window: {
      showInformationMessage: show,
      showWarningMessage: show,
      showErrorMessage: show,
      showInputBox: show,
      withProgress: show,
    },
  };
});

beforeEach(() => void editor.shown.splice(0));

/** What the editor makes links of in notifications and prompts, as its linkedText.ts has it. */
const linkInEditor = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;
const hostile = [
  'Fix “[the login](command:workbench.action.quit)” (12 tokens)',
  '[a](file:///etc/passwd "t")',
  '[[b]](https://evil.example)',
  '[c]\u200b(command:d)](command:e)',
];

it.each(hostile)('no link is made of %j, and it reads the same', text => {
  expect(unlinked(text)).not.toMatch(linkInEditor);
  expect(unlinked(text).replaceAll('\u2060', '')).toBe(text.replaceAll('\u200b', '[U+200B]'));
});

it('leaves words without brackets as they are', () => {
  expect(unlinked('“Fix it (again) [soon]” is prepared.\nTwo lines.')).toBe(
    '“Fix it (again) [soon]” is prepared.\nTwo lines.',
  );
});

it('says what is said without links, with its buttons and options as they are', async () => {
  const text = 'See [x](command:y)';
  const modal = { modal: true, detail: 'Sure?' };
  await showInformation(text, 'Open');
  await showWarning(text, modal, 'Do');
  await showError(text);
  expect(editor.shown).toEqual([[unlinked(text), 'Open'], [unlinked(text), modal, 'Do'], [unlinked(text)]]);
  expect(unlinked(text)).not.toBe(text);
});

it('asks and waits without links', async () => {
  await askText({ title: 'T', prompt: 'See [x](command:y)', value: '[x](command:y)' });
  await askText({ title: 'T' });
  await withCancellableProgress('Making “[x](command:y)”', async () => undefined);
  expect(editor.shown.map(([options]) => options)).toEqual([
    { title: 'T', prompt: unlinked('See [x](command:y)'), value: '[x](command:y)' },
    { title: 'T' },
    expect.objectContaining({ title: unlinked('Making “[x](command:y)”') }),
  ]);
});

it('is the only place that shows notifications and prompts', () => {
  const client = join(import.meta.dirname, '..', '..', '..', 'client');
  const files = readdirSync(client, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'));
  const shows = /window\s*\.(show(Information|Warning|Error)Message|(show|create)InputBox)\b/;
  const found = files.filter(name => shows.test(readFileSync(join(client, name), 'utf8')));
  expect(found).toEqual(['messages.ts']);
});
