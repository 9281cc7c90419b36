import { describe, expect, it, vi } from 'vitest';
import type { Coach } from '../../../../client/coach.ts';
import { serverCommands } from '../../../../client/commands/server.ts';

const editor = vi.hoisted(() => ({ isTrusted: true, folders: [] as string[], offered: [] as (string | undefined)[] }));
vi.mock('vscode', () => ({
  l10n: { t: (text: string) => text },
  extensions: { getExtension: () => undefined },
  ProgressLocation: { Window: 10 },
  QuickPickItemKind: { Separator: -1 },
  window: {
    showQuickPick: async (items: { name?: string }[]) => {
      editor.offered = items.flatMap(({ name }) => name ?? []);
    },
  },
  workspace: {
    get isTrusted() {
      return editor.isTrusted;
    },
    get workspaceFolders() {
      return editor.folders.map(fsPath => ({ uri: { scheme: 'file', fsPath } }));
    },
  },
}));

async function offered({ recording = null, sessions = [] }: { recording?: object | null; sessions?: object[] }) {
  const api = {
    server: { status: async () => ({ version: '1.0.0', pid: 1, runningTrials: 0, home: '/home' }) },
    proxy: { status: async () => ({ port: null, state: 'stopped', exchanges: 0 }) },
    sessions: { today: async () => ({ exchanges: 0 }), list: async () => ({ rows: sessions }) },
    tasks: { recording: async () => ({ recording }) },
  };
  const { showStatus } = serverCommands({ api } as unknown as Coach, () => undefined);
  await showStatus(undefined, undefined);
  return editor.offered;
}

const checks = ['testRoute', 'openServerLog', 'restartServer'];

describe('what the status offers', () => {
  it.each([
    ['a folder', true, ['/a'], {}, ['startRecording', 'openRecordedTerminal', ...checks]],
    ['no folder', true, [], {}, ['openSample', 'openRecordedTerminal', ...checks]],
    [
      'a recording and sessions',
      true,
      ['/a'],
      { recording: {}, sessions: [{}] },
      ['endRecording', 'discardRecording', 'openRecordedTerminal', 'searchSessions', ...checks],
    ],
    ['sessions, not trusted', false, ['/a'], { sessions: [{}] }, ['searchSessions', 'openServerLog', 'restartServer']],
    ['nothing, not trusted', false, ['/a'], {}, ['openServerLog', 'restartServer']],
  ] as const)('can be done now: with %s', async (_, isTrusted, folders, there, names) => {
    Object.assign(editor, { isTrusted, folders });
    expect(await offered(there as Parameters<typeof offered>[0])).toEqual(names);
  });
});
