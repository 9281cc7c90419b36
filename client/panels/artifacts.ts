import { open, readdir, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import * as vscode from 'vscode';
import { CoachError } from '../../protocol/errors.ts';
import type { Artifact } from '../../protocol/pages.ts';

/** More files than this are a workspace, not artifacts to look through in a list. */
const maxArtifacts = 200;
/** How much of a log's end is shown. */
const tailBytes = 32 * 1024;

/** Files under a trial's directory, by path. A trial that has written nothing yet has none. */
export async function listArtifacts({ directory }: { readonly directory: string }): Promise<Artifact[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
    .slice(0, maxArtifacts);
  return Promise.all(
    files.map(async file => ({
      path: relative(directory, file).split(sep).join('/'),
      sizeBytes: (await stat(file)).size,
    })),
  );
}

/** Opens one file of a trial. A path that leads out of its directory is refused. */
export async function openArtifact({ directory }: { readonly directory: string }, path: string): Promise<void> {
  const file = fileInside(directory, path);
  await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(file), { preview: true });
}

/** The end of a file of a trial that may still be growing; nothing where it is not there yet. */
export async function readTail(
  { directory }: { readonly directory: string },
  path: string,
): Promise<{ text: string; sizeBytes: number }> {
  const file = await open(fileInside(directory, path)).catch(() => null);
  if (file === null) return { text: '', sizeBytes: 0 };
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - tailBytes);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(tailBytes), 0, tailBytes, start);
    const text = buffer.subarray(0, bytesRead).toString('utf8');
    // The first line is cut, maybe within a character.
    return { text: start === 0 ? text : text.slice(text.indexOf('\n') + 1), sizeBytes: size };
  } finally {
    await file.close();
  }
}

function fileInside(directory: string, path: string): string {
  const file = resolve(directory, path);
  const inside = relative(directory, file);
  if (inside.startsWith('..') || isAbsolute(inside)) {
    throw new CoachError('input.invalid', `${path} is not a file of this trial.`);
  }
  return file;
}
