import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Coach } from '../../../../client/coach.ts';
import { recordCommands } from '../../../../client/commands/record.ts';
import { CoachError } from '../../../../protocol/errors.ts';

interface Box {
  readonly value: string;
  readonly prompt: string;
}
const editor = vi.hoisted(() => ({
  boxes: [] as Box[],
  answers: [] as (string | undefined)[],
  /** What was said, with the buttons beside it. */
  said: [] as string[][],
  chosen: '',
  executed: [] as unknown[],
}));
vi.mock('vscode', () => {
  const say = async (text: string, ...more: (string | object)[]) => {
    const buttons = more.filter(one => typeof one === 'string');
    editor.said.push([text, ...buttons]);
    return buttons.find(button => button === editor.chosen);
  };
  return {
    l10n: { t: (text: string) => text },
    ThemeIcon: class {},
    extensions: { getExtension: () => undefined },
    commands: {
      getCommands: async () => ['git.stashPop'],
      executeCommand: async (command: string) => editor.executed.push(command),
    },
    window: {
      async showInputBox(box: Box) {
        editor.boxes.push(box);
        return editor.answers.shift();
      },
      createTerminal: ({ env }: { env: object }) => ({ show: () => editor.executed.push(env) }),
      onDidCloseTerminal: () => ({ dispose: () => undefined }),
      showWarningMessage: say,
      showInformationMessage: say,
    },
    workspace: { workspaceFolders: [{ uri: { scheme: 'file', fsPath: '/work' } }] },
  };
});

interface Recorded {
  readonly files?: string[];
  readonly notes?: string[];
  readonly waiting?: boolean;
}

function theCommands({ files = ['a.js'], notes = [], waiting = false }: Recorded = {}) {
  const end = vi.fn(async (_: object): Promise<object> => ({ id: 'task', title: 'The task' }));
  const tasks = {
    recorded: async () => ({ files, notes }),
    putAside: async () => ({ waiting }),
    discard: async () => ({ discarded: true }),
    end,
  };
  const { endRecording, discardRecording } = recordCommands({ api: { tasks } } as unknown as Coach);
  return { end, endRecording: () => endRecording(undefined, undefined), discard: discardRecording };
}

describe('ending a recording', () => {
  beforeEach(() => Object.assign(editor, { boxes: [], answers: ['By hand.'], said: [], chosen: '', executed: [] }));

  it('asks for no notes when nothing has changed, and offers to give the recording up', async () => {
    const { end, endRecording } = theCommands({ files: [] });
    editor.chosen = 'Discard Recording';
    await endRecording();
    expect(editor.boxes).toEqual([]);
    expect(end).not.toHaveBeenCalled();
    expect(editor.said).toEqual([[expect.stringContaining('Nothing has changed'), 'Discard Recording']]);
    expect(editor.executed).toEqual(['codexCoach.discardRecording']);
  });

  it('has the notes again when it was refused, and forgets them once they are kept', async () => {
    const { end, endRecording } = theCommands();
    end.mockRejectedValueOnce(new CoachError('task.secrets', 'A secret.'));
    await expect(endRecording()).rejects.toMatchObject({ code: 'task.secrets' });
    editor.answers = ['By hand, without it.', undefined];
    await endRecording();
    await endRecording();
    expect(editor.boxes.map(({ value }) => value)).toEqual(['', 'By hand.', '']);
  });

  it('says before it ends that there is no test, and offers to edit the task after', async () => {
    const { endRecording } = theCommands({ notes: ['The change has no tests.'] });
    await endRecording();
    expect(editor.boxes[0]?.prompt).toMatch(/^The change has no tests\. Notes/);
    expect(editor.said).toEqual([[expect.stringContaining('no tests'), 'Prepare Task', 'Edit Task']]);
  });

  it('reminds of changes that were put aside, and offers the way back', async () => {
    editor.chosen = 'Pop Stash…';
    await theCommands({ waiting: true }).endRecording();
    await vi.waitFor(() => expect(editor.executed).toEqual(['git.stashPop']));
    expect(editor.said).toContainEqual([expect.stringContaining('git stash pop'), 'Pop Stash…']);
  });

  it('reminds of them as well when the recording is discarded', async () => {
    editor.chosen = 'Discard Recording';
    await theCommands({ waiting: true }).discard(undefined, undefined);
    await vi.waitFor(() => expect(editor.said.at(-1)).toEqual([expect.stringContaining('stash'), 'Pop Stash…']));
  });
});

describe('a coached terminal', () => {
  it('leads agents on to the base URLs of the editor, or is not opened', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:4000/v1');
    vi.stubEnv('NO_PROXY', 'git.example');
    onTestFinished(() => void vi.unstubAllEnvs());
    editor.executed = [];
    const env = { OPENAI_BASE_URL: 'http://127.0.0.1:18080/token/v1', OPENAI_API_BASE: null };
    const launch = vi.fn(async (_: object) => ({ env, token: 'token' }));
    vi.stubEnv('DB_PASSWORD', 'a1b2c3d4e5f60718');
    const { openRecordedTerminal } = recordCommands({ api: { proxy: { launch } } } as unknown as Coach);
    await openRecordedTerminal(undefined, undefined);
    const baseUrls = { OPENAI_BASE_URL: 'http://127.0.0.1:4000/v1' };
    expect(launch).toHaveBeenCalledWith(expect.objectContaining({ baseUrls, noProxy: 'git.example' }));
    // Whoever is started there says by itself who it is.
    expect(launch).toHaveBeenCalledWith(expect.objectContaining({ agent: 'other', directory: '/work' }));
    const secrets = expect.arrayContaining(['a1b2c3d4e5f60718']);
    expect(launch).toHaveBeenCalledWith(expect.objectContaining({ secrets }));
    expect(editor.executed).toEqual([env]);
    launch.mockRejectedValueOnce(new CoachError('input.invalid', 'It can’t be recorded.'));
    await expect(openRecordedTerminal(undefined, undefined)).rejects.toMatchObject({ code: 'input.invalid' });
    expect(editor.executed).toHaveLength(1);
  });
});
