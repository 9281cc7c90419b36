import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Coach } from '../../../../client/coach.ts';
import { recordCommands } from '../../../../client/commands/record.ts';
import { startCommands } from '../../../../client/commands/start.ts';
import { CoachError } from '../../../../protocol/errors.ts';

const editor = vi.hoisted(() => ({
  known: [] as string[],
  executed: [] as unknown[][],
  asked: 0,
  warnings: [] as string[],
  /** What stood in each box when it opened, and what was said above it. */
  boxes: [] as unknown[][],
  answers: [] as string[],
}));
interface Box {
  readonly value?: string;
  readonly prompt: string;
}
vi.mock('vscode', () => ({
  l10n: { t: (text: string) => text },
  extensions: { getExtension: () => undefined },
  commands: {
    getCommands: async () => editor.known,
    executeCommand: async (...call: unknown[]) => editor.executed.push(call),
  },
  ProgressLocation: { Notification: 15 },
  window: {
    withProgress: (_: unknown, work: (...given: unknown[]) => unknown) =>
      work({ report: () => undefined }, { onCancellationRequested: () => ({ dispose: () => undefined }) }),
    async showInputBox({ value, prompt }: Box) {
      editor.asked++;
      editor.boxes.push([value, prompt]);
      return editor.answers.shift();
    },
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
  beforeEach(() =>
    Object.assign(editor, { known: ['git.init'], executed: [], asked: 0, warnings: [], boxes: [], answers: [] }),
  );

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

  const coachRefusing = (refusal: CoachError) => {
    const from = async () => Promise.reject(refusal);
    return { api: { tasks: { repository: async () => ({ state: 'ready' }), from } } } as unknown as Coach;
  };

  it('asks again with what was refused and why, until the person leaves', async () => {
    const hint = 'Commits are listed by git log --oneline, recorded sessions by: codex-coach sessions list';
    const refusal = new CoachError('input.invalid', 'HAED is no commit here.', { hint });
    editor.answers = ['HAED'];
    await press(startCommands(coachRefusing(refusal)).taskFromCommit);
    const reason = 'HAED is no commit here. Commits are listed by git log --oneline, recorded sessions by: “Sessions”';
    expect(editor.boxes).toEqual([
      ['HEAD', expect.stringContaining('A commit, a range')],
      ['HAED', reason],
    ]);
  });

  it('leaves to the message, which has a button, what no other text would mend', async () => {
    editor.answers = ['HEAD'];
    const refusal = new CoachError('task.invalid', 'It is the first commit.');
    await expect(press(startCommands(coachRefusing(refusal)).taskFromCommit)).rejects.toBe(refusal);
    expect(editor.boxes).toHaveLength(1);
  });
});
