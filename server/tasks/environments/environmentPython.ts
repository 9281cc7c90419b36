import { shellWord } from '../../base/shell.ts';
import { cannotRun, type RepositoryFiles, readText, resultAt, type TestSetup } from '../testing/testCommand.ts';

/**
 * Python starts without the directory it is called in on its path (-P) and without what a user installed (-s): neither a
 * `pytest.py` nor a `sitecustomize.py` of the repository gets in before the runner. Only then the repository can be imported.
 */
const start =
  'import os, sys, pytest; sys.path[:0] = [os.getcwd(), os.path.join(os.getcwd(), "src")]; sys.exit(pytest.main())';

/** A file that can't be imported does not keep the others from running; a test that passes though it is marked as failing, fails. */
const options = [
  ...['-p', 'no:cacheprovider', '--continue-on-collection-errors'],
  ...['-o', 'junit_family=xunit1', '-o', 'junit_logging=no', '-o', 'xfail_strict=true'],
];

/** Tests of pytest, which runs those of unittest as well. Null when no Python test is there. @throws CoachError `task.invalid` */
export async function detectPython(files: RepositoryFiles): Promise<TestSetup | null> {
  const tests = files.paths.filter(path => /(?:^|\/)(?:test_[^/]*|[^/]*_test)\.py$/.test(path)).sort();
  if (tests.length === 0) return null;
  const resultFile = resultAt('junit.xml');
  const argv = ['python3', '-sPB', '-c', start, ...options, `--junitxml=${resultFile}`, ...tests];
  const dependencies = await dependenciesOf(files);
  return {
    command: `${dependencies === null ? '' : 'PYTHONPATH=/opt/task/python '}${argv.map(shellWord).join(' ')}`,
    resultFormat: 'pytest',
    resultFile,
    baseImage: 'debian:bookworm-slim',
    packages: ['python3-pytest'],
    dependencies,
  };
}

/** What requirements files name; those for tests come on top. pytest itself is part of the environment. */
async function dependenciesOf(files: RepositoryFiles): Promise<TestSetup['dependencies']> {
  const found = files.paths.filter(path => /^(?:requirements[\w.-]*|requirements\/[\w.-]+)\.txt$/.test(path));
  const wanted: string[] = [];
  for (const path of found) {
    const lines = ((await readText(files, path)) ?? '').split('\n').map(line => line.replace(/#.*/, '').trim());
    const real = lines.filter(line => line !== '' && !/^pytest\b(?!-)/i.test(line));
    const foreign = real.find(line => /^(?:-e|--editable|git\+|\.|\/|https?:)/.test(line));
    if (foreign !== undefined) {
      throw cannotRun(
        `${path} asks for "${foreign}"`,
        'Name it by its release in an index, and record the task again.',
      );
    }
    if (real.length > 0) wanted.push(path);
  }
  return wanted.length === 0 ? null : { manager: 'pip', files: wanted };
}
