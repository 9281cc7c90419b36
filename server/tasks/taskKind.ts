import type { TaskKind } from '../../protocol/tasks.ts';
import type { ChangedFile } from '../git/tree.ts';
import { isTestPath } from './testing/testFiles.ts';

const prose = /\.(?:md|mdx|txt|rst|adoc)$|(?:^|\/)(?:README|CHANGELOG|CONTRIBUTING|LICENSE)$/i;

/** Whether a file is written for people, by its name. */
export function isProse(path: string): boolean {
  return prose.test(path);
}

/** Whether a change left a test there, which can be hidden from agents and judge them. */
export function isLeftTest({ path, status }: Pick<ChangedFile, 'path' | 'status'>): boolean {
  return isTestPath(path) && status !== 'deleted';
}

/** Said when a change is captured that preparing will refuse as it is: code that no test of its own can judge. */
export function missingTestsNotes(files: readonly Pick<ChangedFile, 'path' | 'status'>[], kind: TaskKind): string[] {
  if (kind !== 'code' || files.some(isLeftTest) || files.length === 0) return [];
  return ['The change has no tests: preparing it will ask for some, or for a rubric.'];
}

/** What a change was about, by the files that it left: tests alone, documentation alone, or code. */
export function kindOf(files: readonly Pick<ChangedFile, 'path' | 'status'>[]): TaskKind {
  const left = files.filter(file => file.status !== 'deleted').map(file => file.path);
  if (left.length === 0) return 'code';
  if (left.every(isTestPath)) return 'test-writing';
  return left.every(path => isProse(path) && !isTestPath(path)) ? 'documentation' : 'code';
}
