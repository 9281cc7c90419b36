import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { preparedDirectory } from '../tasks/places.ts';
import type { TaskFile } from './fileKind.ts';
import type { ParsedFile } from './parsedFile.ts';
import { find, type Path, type Span } from './tree.ts';

export interface Link {
  readonly span: Span;
  /** A file that is there. */
  readonly target: string;
  readonly tooltip: string;
}

interface LinkPlace {
  readonly at: Path;
  /** Of the key, where the value is no path. */
  readonly target: string;
  readonly tooltip: string;
}

const places: Readonly<Record<string, readonly LinkPlace[]>> = {
  toml: [
    { at: ['task', 'name'], target: 'instruction.md', tooltip: 'Open the instruction' },
    { at: ['metadata', 'codex_coach', 'title'], target: 'instruction.md', tooltip: 'Open the instruction' },
    { at: ['metadata', 'codex_coach', 'test_command'], target: 'tests/test.sh', tooltip: 'Open the tests’ script' },
    {
      at: ['metadata', 'codex_coach', 'result_file'],
      target: 'tests/expected.json',
      tooltip: 'Open the expected tests',
    },
    {
      at: ['metadata', 'codex_coach', 'start_commit'],
      target: 'solution/solution.patch',
      tooltip: 'Open the reference solution',
    },
    {
      at: ['metadata', 'codex_coach', 'verify_command'],
      target: 'tests/expected.json',
      tooltip: 'Open the expected tests',
    },
    {
      at: ['metadata', 'codex_coach', 'solve_command'],
      target: 'solution/solution.patch',
      tooltip: 'Open the reference solution',
    },
    { at: ['weights', 'tests'], target: 'tests/expected.json', tooltip: 'Open the expected tests' },
    { at: ['weights', 'diff'], target: 'solution/solution.patch', tooltip: 'Open the reference solution' },
  ],
  json: [
    { at: ['metadata', 'title'], target: 'notes.md', tooltip: 'Open the notes' },
    { at: ['repo', 'end_commit_sha'], target: 'diff.patch', tooltip: 'Open the recorded change' },
    { at: ['pass_to_pass'], target: 'tests/test.sh', tooltip: 'Open the tests’ script' },
    { at: ['proof'], target: 'solution/solution.patch', tooltip: 'Open the reference solution' },
  ],
};

/** Links from what the file says to the files of its task that it is about, as far as they are there. */
export async function linksOf(file: ParsedFile, { directory, root, of }: TaskFile): Promise<Link[]> {
  const links: Link[] = [];
  for (const { at, target, tooltip } of places[file.kind.language] ?? []) {
    const { node, member, depth } = find(file.root, at);
    if (depth < at.length || member === null) continue;
    links.push({ span: node.kind === 'scalar' ? node.span : member.keySpan, target: join(directory, target), tooltip });
  }
  for (const { path, span } of pathsIn(file, ['metadata', 'codex_coach', 'files'])) {
    links.push({ span, target: join(directory, 'tests', 'files', path), tooltip: 'Open the hidden test' });
  }
  for (const { path, span } of of.kind === 'suite' ? pathsIn(file, ['tasks']) : []) {
    links.push({ span, target: join(preparedDirectory(root), path, 'task.toml'), tooltip: 'Open the task' });
  }
  const there = await Promise.all(links.map(({ target }) => isFile(target)));
  return links.filter((_, index) => there[index]);
}

/** What a list of paths or names holds, such as the changed files, of which those that are tests lie in the task. */
function pathsIn({ root }: ParsedFile, at: Path): { readonly path: string; readonly span: Span }[] {
  const { node, depth } = find(root, at);
  if (depth < at.length || node.kind !== 'list') return [];
  return node.items.flatMap(item => {
    const path = item.kind === 'scalar' ? item.value : null;
    // A path that leads elsewhere is none of ours.
    return typeof path !== 'string' || path.split(/[\\/]/).includes('..') ? [] : [{ path, span: item.span }];
  });
}

async function isFile(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isFile() ?? false;
}
