import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Coach } from '../../../../client/coach.ts';
import { recordCommands } from '../../../../client/commands/record.ts';
import { startCommands } from '../../../../client/commands/start.ts';

const editor = vi.hoisted(() => ({
  known: [] as string[],
  executed: [] as unknown[][],
  asked: 0,
  warnings: [] as string[],
}));
vi.mock('vscode', () => ({
  l10n: { t: (text: string) => text },
  extensions: { getExtension: () => undefined },
  commands: {
    getCommands: async () => editor.known,
    executeCommand: async (...call: unknown[]) => editor.executed.push(call),
  },
  window: {
    showInputBox: async () => void editor.asked++,
    async showWarningMessage(text: string, button: string) {
      editor.warnings.push(text);
      return button;
    },
  },
  workspace: { workspaceFolders: [{ uri: { scheme: 'file', fsPath: '/plain' } }] },
}));

const coachIn = (state: string) => ({ api: { tasks: { repository: async () => ({ state }) } } }) as unknown as Coach;
const press = (command: (target: unknown, selection: unknown) => unknown) => command(undefined, undefined);

describe('the way from a folder to a first task', () => {
  beforeEach(() => Object.assign(editor, { known: ['git.init'], executed: [], asked: 0, warnings: [] }));

  it('makes the repository as the editor does', async () => {
    await press(startCommands(coachIn('none')).initRepository);
    expect(editor.executed).toEqual([['git.init', true]]);
  });

  it('says what else can be done in an editor without git', async () => {
    editor.known = [];
    await press(startCommands(coachIn('none')).initRepository);
    expect(editor.warnings).toEqual([expect.stringContaining('git init')]);
    expect(editor.executed).toEqual([['workbench.action.openSettings', 'git.enabled']]);
  });

  it.each(['none', 'empty'])('says what is missing before it asks for anything (%s)', async state => {
    await press(recordCommands(coachIn(state)).startRecording);
    await press(startCommands(coachIn(state)).taskFromCommit);
    expect([editor.warnings.length, editor.asked]).toEqual([2, 0]);
    await press(recordCommands(coachIn('ready')).startRecording);
    expect([editor.warnings.length, editor.asked]).toEqual([2, 1]);
  });
});
