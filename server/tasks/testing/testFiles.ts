/** Directories whose whole content belongs to the tests, fixtures included. */
const testDirectories = new Set(['test', 'tests', '__tests__', 'spec', 'specs']);

/** Names that a test runner picks up by itself, wherever they lie. */
const testNames: readonly RegExp[] = [
  /[._-](?:test|spec)\.[^.]+$/,
  /^test[-_][^/]*\.[^.]+$/,
  /^test\.[cm]?[jt]sx?$/,
  // They decide how tests run, so they belong to who judges.
  /^conftest\.py$/,
  /^(?:\.?pytest|tox)\.(?:ini|toml)$/,
  /^(?:vitest|jest)\.(?:config|setup)\.[^/]+$/,
  /^\.mocharc\.[^.]+$/,
];

/** Whether a file belongs to the tests, by its path relative to the repository. */
export function isTestPath(path: string): boolean {
  const directories = path.split('/').slice(0, -1);
  return directories.some(part => testDirectories.has(part)) || isTestName(path);
}

/** Whether a test runner takes a file for a test, or for its configuration, by its name alone. */
export function isTestName(path: string): boolean {
  const name = path.split('/').at(-1) ?? '';
  return testNames.some(pattern => pattern.test(name));
}
