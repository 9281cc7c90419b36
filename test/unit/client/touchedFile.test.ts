import { mkdirSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { lineIn, openTouchedFile } from '../../../client/panels/touchedFile.ts';
import { temporaryDirectory } from '../../temporary.ts';

const shown = vi.hoisted(() => [] as [path: string, line: number][]);
vi.mock('vscode', () => ({
  FileType: { File: 1 },
  Range: class {
    start: number;
    constructor(start: number) {
      this.start = start;
    }
  },
  Uri: { file: (path: string) => path },
  workspace: {
    workspaceFolders: undefined,
    fs: { stat: async (path: string) => ({ type: (await stat(path)).isFile() ? 1 : 2 }) },
    openTextDocument: async (path: string) => ({
      path,
      lineCount: 3,
      getText: () => 'one\ntwo\nthree',
      lineAt: (line: number) => ({ range: { start: line } }),
    }),
  },
  window: {
    showTextDocument: async ({ path }: { path: string }, { selection }: { selection: { start: number } }) =>
      shown.push([path, selection.start]),
  },
}));

beforeEach(() => {
  shown.length = 0;
});

it('opens a file where the agent worked, at the line that was touched', async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'src'));
  const file = join(directory, 'src', 'a.ts');
  writeFileSync(file, '');
  await openTouchedFile({ path: 'src/a.ts', change: 'edited', line: null, text: 'two' }, directory);
  await openTouchedFile({ path: file, change: 'read', line: 3, text: null }, null);
  await openTouchedFile({ path: file, change: 'read', line: 900, text: null }, null);
  expect(shown).toEqual([
    [file, 1],
    [file, 2],
    [file, 2],
  ]);
});

it('says that a file is gone, and opens no directory', async () => {
  const directory = temporaryDirectory();
  const touched = { change: 'read', line: null, text: null } as const;
  await expect(openTouchedFile({ path: 'gone.ts', ...touched }, directory)).rejects.toThrow('gone.ts is not on this');
  await expect(openTouchedFile({ path: directory, ...touched }, null)).rejects.toThrow('not on this machine');
  expect(shown).toEqual([]);
});

it('knows no line where what was written is no longer there', () => {
  expect(lineIn('a\r\nb()\r\n', { line: null, text: 'b()' })).toBe(2);
  expect(lineIn('a\nb()\n', { line: null, text: 'c()' })).toBeNull();
});
