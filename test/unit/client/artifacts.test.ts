import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { listArtifacts, openArtifact, readTail } from '../../../client/panels/artifacts.ts';
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

  it('are shown by their end, from the beginning of a line, while they grow', async () => {
    const directory = temporaryDirectory();
    expect(await readTail({ directory }, 'agent.log')).toEqual({ text: '', sizeBytes: 0 });
    writeFileSync(join(directory, 'agent.log'), 'one\ntwo\n');
    expect(await readTail({ directory }, 'agent.log')).toEqual({ text: 'one\ntwo\n', sizeBytes: 8 });
    writeFileSync(join(directory, 'agent.log'), 'ä line of text\n'.repeat(10_000));
    const { text, sizeBytes } = await readTail({ directory }, 'agent.log');
    expect(sizeBytes).toBe(160_000);
    expect(text.length).toBeLessThan(40_000);
    expect(text).toMatch(/^(ä line of text\n)+$/);
    await expect(readTail({ directory }, '../x')).rejects.toThrow('not a file of this trial');
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
