import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const fixtures = fileURLToPath(new URL('../fixtures/projects', import.meta.url));

/** A line `# @4 Add slugify` says that what follows came with commit 4. What stands before all of them came with the first. */
const mark = /^(?:#|\/\/) @(\d+) ?(.*)$/;

interface Line {
  readonly commit: number;
  readonly text: string;
}

export interface Project {
  readonly commits: number;
  /** Does to the working tree what the last number marks: the feature that a task is made of. */
  addFeature(): void;
}

/** Makes a git repository of a fixture: the same commits with the same ids on every machine. */
export function writeProject(name: string, directory: string): Project {
  const { files, subjects } = readFixture(join(fixtures, name));
  const last = Math.max(...subjects.keys());
  const writeAt = (commit: number) => {
    for (const [path, lines] of files) {
      const there = lines.filter(line => line.commit <= commit);
      if (there.length === 0) continue;
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), there.map(line => line.text).join('\n'));
    }
  };
  mkdirSync(directory, { recursive: true });
  git(directory, 1, 'init', '--quiet', '--initial-branch=main');
  for (let commit = 1; commit < last; commit++) {
    writeAt(commit);
    git(directory, commit, 'add', '--all');
    git(directory, commit, 'commit', '--quiet', '--message', subjects.get(commit) ?? 'Start');
  }
  return { commits: last - 1, addFeature: () => writeAt(last) };
}

function readFixture(directory: string): { files: Map<string, Line[]>; subjects: Map<number, string> } {
  const files = new Map<string, Line[]>();
  const subjects = new Map<number, string>();
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    let commit = 1;
    const lines: Line[] = [];
    for (const text of readFileSync(file, 'utf8').split('\n')) {
      const found = mark.exec(text);
      if (found === null) lines.push({ commit, text });
      else {
        commit = Number(found[1]);
        subjects.set(commit, found[2] ?? '');
      }
    }
    // The last line of a file has no end of its own; each earlier state gets one, too.
    const path = file.slice(directory.length + 1).replace(/\.txt$/, '');
    files.set(path === 'gitignore' ? '.gitignore' : path, withEnds(lines));
  }
  return { files, subjects };
}

/** Every state ends with a line break: the empty text after the last one belongs to all of them. */
function withEnds(lines: readonly Line[]): Line[] {
  const first = Math.min(...lines.slice(0, -1).map(line => line.commit));
  return [...lines.slice(0, -1), { commit: first, text: '' }];
}

function git(directory: string, commit: number, ...args: string[]): void {
  const date = `2026-03-${String(commit).padStart(2, '0')}T09:00:00Z`;
  const who = { NAME: 'Ada Sample', EMAIL: 'ada@example.com', DATE: date };
  const identity = ['AUTHOR', 'COMMITTER'].flatMap(role =>
    Object.entries(who).map(([key, value]) => [`GIT_${role}_${key}`, value] as const),
  );
  execFileSync('git', args, {
    cwd: directory,
    env: {
      ...Object.fromEntries(identity),
      ...{ PATH: process.env['PATH'], HOME: directory, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
    },
  });
}
