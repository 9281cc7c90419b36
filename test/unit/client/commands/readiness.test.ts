import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Coach } from '../../../../client/coach.ts';
import { checkReadiness } from '../../../../client/commands/readiness.ts';

type Item = { readonly label: string; readonly detail?: string };
const editor = vi.hoisted(() => ({ items: [] as Item[], choose: 0, executed: [] as string[] }));
vi.mock('vscode', () => ({
  l10n: { t: (text: string) => text },
  extensions: { getExtension: () => undefined },
  Uri: { file: (fsPath: string) => ({ fsPath }) },
  commands: { executeCommand: async (command: string) => editor.executed.push(command) },
  window: {
    async showQuickPick(items: Item[]) {
      editor.items = items;
      return items[editor.choose];
    },
  },
  workspace: {
    workspaceFolders: [{ uri: { scheme: 'file', fsPath: '/plain' } }],
    getConfiguration: () => ({ get: () => undefined }),
  },
}));

const message = '/plain is not ready.';
const missing = { id: 'repository', severity: 'error', message, hint: 'In a terminal: git init', fixable: false };
const coachIn = (state: string) => {
  const check = async () => ({ ready: false, findings: [missing] });
  return { api: { tasks: { repository: async () => ({ state }), check } } } as unknown as Coach;
};

describe('the check whether a task can be recorded', () => {
  beforeEach(() => Object.assign(editor, { items: [], choose: 0, executed: [] }));

  it.each([
    ['none', '$(repo) Initialize Repository', 'codexCoach.initRepository'],
    ['empty', '$(git-commit) Make the First Commit…', 'codexCoach.firstCommit'],
  ])('has the next step on top, and no word of the terminal (%s)', async (state, label, command) => {
    await checkReadiness(coachIn(state));
    expect(editor.items).toEqual([expect.objectContaining({ label }), { label: `$(error) ${message}` }]);
    expect(editor.executed).toEqual([command]);
  });

  it('says how to mend what no command of the editor does', async () => {
    editor.choose = -1;
    await checkReadiness(coachIn('ready'));
    expect(editor.items).toEqual([{ label: `$(error) ${message}`, detail: 'In a terminal: git init' }]);
  });
});
