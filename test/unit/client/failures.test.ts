import { expect, it, vi } from 'vitest';
import type * as vscode from 'vscode';
import { showFailure } from '../../../client/failures.ts';
import { CoachError } from '../../../protocol/errors.ts';

/** What was said, with the buttons beside it. */
const editor = vi.hoisted(() => ({
  said: [] as string[][],
  chosen: undefined as string | undefined,
  done: [] as unknown[][],
}));
vi.mock('vscode', () => ({
  l10n: { t: (text: string) => text },
  extensions: { getExtension: () => undefined },
  commands: { executeCommand: async (...call: unknown[]) => void editor.done.push(call) },
  window: {
    showErrorMessage: async (...words: string[]) => {
      editor.said.push(words);
      return editor.chosen;
    },
  },
}));
const log = { error: () => undefined } as unknown as vscode.LogOutputChannel;

it.each([
  ['git.notARepository', undefined, 'Initialize Repository'],
  ['git.noCommit', undefined, 'Make the First Commit'],
  ['task.invalid', 'Record the next change: codex-coach task start "<title>"', 'Start Recording a Task'],
  ['task.invalid', 'Give it a rubric: codex-coach task edit <task> --part settings', 'Edit Task'],
] as const)('has the button that leads on from %s', async (code, hint, button) => {
  editor.said = [];
  await showFailure(new CoachError(code, 'It is not so.', hint === undefined ? {} : { hint }), log);
  expect(editor.said.map(words => words.slice(1))).toEqual([[button]]);
});

it('leads to a folder from a window without one, whatever it was started from', async () => {
  editor.said = [];
  editor.done = [];
  editor.chosen = 'Open Folder';
  await showFailure(new CoachError('folder.missing', 'No folder is open.'), log, { kind: 'task' });
  expect(editor.said.map(words => words.slice(1))).toEqual([['Open Folder', 'Open Sample Project']]);
  expect(editor.done).toEqual([['vscode.openFolder']]);
});

it('leads on from the row that was worked on', async () => {
  editor.done = [];
  editor.chosen = 'Edit Task';
  const row = { kind: 'task' };
  const hint = 'Give it a rubric: codex-coach task edit <task> --part settings';
  await showFailure(new CoachError('task.invalid', 'Nothing could judge it.', { hint }), log, row);
  expect(editor.done).toEqual([['codexCoach.editTask', row]]);
});

it('says nothing of what a person left', async () => {
  editor.said = [];
  await showFailure(new CoachError('cancelled', 'No key was given.'), log);
  expect(editor.said).toEqual([]);
});

it('makes no link of what a fault repeats', async () => {
  editor.said = [];
  await showFailure(new CoachError('input.invalid', 'There is no file [a](command:b) here.'), log);
  expect(editor.said).toEqual([['There is no file [a]\u2060(command:b) here.']]);
});
