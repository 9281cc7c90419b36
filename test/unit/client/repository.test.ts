import { describe, expect, it, vi } from 'vitest';
import type { Coach } from '../../../client/coach.ts';
import { pickStart, rowsOfAll } from '../../../client/repository.ts';
import { CoachError } from '../../../protocol/errors.ts';

const editor = vi.hoisted(() => ({ folders: ['/one'], warning: '', executed: [] as string[] }));
vi.mock('vscode', () => ({
  l10n: { t: (text: string, value: string) => text.replace('{0}', value) },
  extensions: { getExtension: () => undefined },
  commands: { executeCommand: async (command: string) => editor.executed.push(command) },
  window: {
    async showWarningMessage(text: string, button: string) {
      editor.warning = text;
      return button;
    },
  },
  workspace: {
    get workspaceFolders() {
      return editor.folders.map(fsPath => ({ uri: { scheme: 'file', fsPath } }));
    },
  },
}));

describe('the rows of a window with several folders', () => {
  const code = (folder: string) => ({ '/plain': 'git.notARepository', '/broken': 'git.failed' })[folder];
  const ask = async (folder: string) => {
    const fault = code(folder);
    if (fault !== undefined) throw new CoachError(fault as CoachError['code'], folder);
    return { rows: [`${folder}/1`, `${folder}/2`] };
  };

  it('are those of its repositories: a folder that is none hides no other', async () => {
    editor.folders = ['/one', '/plain', '/two'];
    expect(await rowsOfAll(ask)).toEqual(['/one/1', '/one/2', '/two/1', '/two/2']);
  });

  it('say what keeps a repository from being read', async () => {
    editor.folders = ['/one', '/broken'];
    await expect(rowsOfAll(ask)).rejects.toMatchObject({ code: 'git.failed' });
  });
});

describe('the repository that a task starts in', () => {
  const coachIn = (state: string) => ({ api: { tasks: { repository: async () => ({ state }) } } }) as unknown as Coach;

  it.each([
    ['none', 'A task starts from a commit, and /one is not in a git repository.', 'codexCoach.initRepository'],
    ['empty', 'A task starts from a commit, and /one has none yet.', 'codexCoach.firstCommit'],
  ])('is not there: says why, and offers the next step (%s)', async (state, why, command) => {
    editor.folders = ['/one'];
    editor.executed = [];
    expect(await pickStart(coachIn(state))).toBeUndefined();
    await vi.waitFor(() => expect(editor.executed).toEqual([command]));
    expect(editor.warning).toBe(why);
  });

  it('is the folder that is open', async () => {
    editor.folders = ['/one'];
    expect(await pickStart(coachIn('ready'))).toBe('/one');
  });
});
