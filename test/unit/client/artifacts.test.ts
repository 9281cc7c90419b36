import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { listArtifacts, openArtifact } from '../../../client/panels/artifacts.ts';
import { temporaryDirectory } from '../../temporary.ts';

const opened = vi.hoisted(() => [] as string[]);
vi.mock('vscode', () => ({
  Uri: { file: (path: string) => path },
  commands: { executeCommand: async (_command: string, path: string) => opened.push(path) },
}));

describe('artifacts of a trial', () => {
  it('are listed by path with their sizes', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'agent'));
    writeFileSync(join(directory, 'agent', 'stdout.jsonl'), '12345');
    writeFileSync(join(directory, 'diff.patch'), '');
    expect(await listArtifacts({ directory })).toEqual([
      { path: 'agent/stdout.jsonl', sizeBytes: 5 },
      { path: 'diff.patch', sizeBytes: 0 },
    ]);
  });

  it('are none before the trial has written anything', async () => {
    expect(await listArtifacts({ directory: join(temporaryDirectory(), 'later') })).toEqual([]);
  });

  it('open only from the trial’s own directory', async () => {
    const directory = temporaryDirectory();
    for (const path of ['../secret', '/etc/passwd', 'agent/../../secret']) {
      await expect(openArtifact({ directory }, path)).rejects.toMatchObject({ code: 'input.invalid' });
    }
    await openArtifact({ directory }, 'agent/stdout.jsonl');
    expect(opened).toEqual([join(directory, 'agent', 'stdout.jsonl')]);
  });
});
