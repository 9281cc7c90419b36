import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Coach } from '../../../../client/coach.ts';
import { pickRun, pickRuns, pickTask } from '../../../../client/commands/picks.ts';

/** What was said, with the buttons beside it; and the rows of each list. */
const editor = vi.hoisted(() => ({ said: [] as string[][], lists: [] as { label: string }[][] }));
vi.mock('vscode', () => {
  const say = async (...words: string[]) => void editor.said.push(words);
  return {
    l10n: { t: (text: string) => text },
    extensions: { getExtension: () => undefined },
    commands: { executeCommand: async () => undefined },
    window: {
      showInformationMessage: say,
      showWarningMessage: say,
      async showQuickPick(items: { label: string }[]) {
        editor.lists.push(items);
        return items[0];
      },
    },
    workspace: { workspaceFolders: [{ uri: { scheme: 'file', fsPath: '/work' } }] },
  };
});

const aTask = (state: string, problem: string | null = null) => ({
  id: state,
  title: `A ${state} one`,
  state,
  problem,
});
function aCoach(tasks: object[], runs: object[] = [], state = 'ready') {
  const rows = (values: object[]) => ({ list: async () => ({ rows: values }) });
  return {
    api: { tasks: { ...rows(tasks), repository: async () => ({ state }) }, runs: rows(runs) },
  } as unknown as Coach;
}

describe('what a person chooses from', () => {
  beforeEach(() => Object.assign(editor, { said: [], lists: [] }));

  it.each([
    ['any', [], ['There is no task yet.', 'Start Recording a Task', 'Create Task from Commit']],
    ['created', [aTask('proven')], ['All tasks are prepared already.', 'Validate Task']],
    ['prepared', [aTask('created')], ['No task is prepared yet.', 'Prepare Task']],
    ['runnable', [aTask('created'), aTask('prepared', 'Broken.')], ['No task is prepared yet.', 'Prepare Task']],
    ['runnable', [aTask('prepared', 'Broken.')], ['All tasks have a problem.', 'Validate Task', 'Edit Task']],
  ] as const)('leads on where there is no task of the kind: %s', async (wanted, tasks, said) => {
    expect(await pickTask(aCoach([...tasks]), 'Which?', wanted)).toBeUndefined();
    expect(editor.said).toEqual([[...said]]);
    expect(editor.lists).toEqual([]);
  });

  it.each([
    ['none', 'Initialize Repository'],
    ['empty', 'Make the First Commit'],
  ])('offers the repository that tasks need (%s)', async (state, button) => {
    expect(await pickTask(aCoach([], [], state), 'Which?')).toBeUndefined();
    expect(editor.said).toEqual([[expect.stringContaining('A task starts from a commit'), button]]);
  });

  it('are the tasks of the kind alone', async () => {
    const picked = await pickTask(aCoach([aTask('created'), aTask('proven')]), 'Which?', 'prepared');
    expect(picked?.id).toBe('proven');
    expect(editor.lists.map(items => items.map(({ label }) => label))).toEqual([['A proven one']]);
  });

  it.each([
    [[], ['Start Recording a Task', 'Create Task from Commit']],
    [[aTask('created')], ['Prepare Task']],
    [[aTask('created'), aTask('proven')], ['Run Agents on Tasks']],
  ])('leads on where there is no run yet', async (tasks, buttons) => {
    expect(await pickRun(aCoach(tasks), 'Which?')).toBeUndefined();
    expect(await pickRuns(aCoach(tasks), 'Which?', [])).toBeUndefined();
    const once = ['There is no run yet.', ...buttons];
    await vi.waitFor(() => expect(editor.said).toEqual([once, once]));
  });

  it('says that none is under way where runs have ended', async () => {
    expect(
      await pickRun(aCoach([], [{ state: 'finished' }]), 'Which?', run => run.state === 'running'),
    ).toBeUndefined();
    expect(editor.said).toEqual([['No run is under way.']]);
  });
});
