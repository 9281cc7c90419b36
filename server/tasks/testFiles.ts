/** Directories whose whole content belongs to the tests, fixtures included. */
const testDirectories = new Set(['test', 'tests', '__tests__', 'spec', 'specs']);

const testNames: readonly RegExp[] = [
  /[._-](?:test|spec)\.[^.]+$/,
  /^test[-_][^/]*\.[^.]+$/,
  /^test\.[cm]?[jt]sx?$/,
  // They decide how tests run, so they belong to who judges.
  /^conftest\.py$/,
  /^(?:vitest|jest)\.(?:config|setup)\.[^/]+$/,
  /^\.mocharc\.[^.]+$/,
];

/** Whether a file belongs to the tests, by its path relative to the repository. */
export function isTestPath(path: string): boolean {
  const parts = path.split('/');
  const name = parts.at(-1) ?? '';
  return parts.slice(0, -1).some(part => testDirectories.has(part)) || testNames.some(pattern => pattern.test(name));
}
