import { shellWord } from '../../base/shell.ts';
import { cannotRun, type RepositoryFiles, readText, resultAt, type TestSetup } from '../testing/testCommand.ts';

/** What Debian 12 has, and what stands in for the image of that version where no registry is in reach. */
const debianVersion = 19;

/** Tests of `go test`, by package. Null when there is no go.mod at the top. @throws CoachError `task.invalid` */
export async function detectGo(files: RepositoryFiles): Promise<TestSetup | null> {
  const module = await readText(files, 'go.mod');
  if (module === null) return null;
  const isOwn = (path: string) => !/(?:^|\/)(?:vendor|testdata|_[^/]*|\.[^/]*)\//.test(path);
  const directories = files.paths
    .filter(path => path.endsWith('_test.go') && isOwn(path))
    .map(path => path.split('/').slice(0, -1).join('/'));
  if (directories.length === 0) throw cannotRun('there is no _test.go file', 'Record a change that brings tests.');
  if (/^\s*(?:require\s+)?[\w.-]+\.[\w.-]+\/\S+ v\d/m.test(module) && !files.paths.includes('vendor/modules.txt')) {
    throw cannotRun(
      'go.mod requires other modules, which are not there without a network',
      'Run "go mod vendor" and commit vendor/, then record the task again.',
    );
  }
  const minor = Math.max(debianVersion, Number(/^go 1\.(\d+)/m.exec(module)?.[1] ?? 0));
  const packages = [...new Set(directories)].sort().map(directory => (directory === '' ? '.' : `./${directory}`));
  const resultFile = resultAt('go-test.jsonl');
  return {
    // The cache would tell of another run; the toolchain is the environment's, never one that go fetches.
    command: `GOTOOLCHAIN=local GOFLAGS= GOPROXY=off go test -json -count=1 ${packages.map(shellWord).join(' ')} > ${resultFile}`,
    resultFormat: 'go',
    resultFile,
    baseImage: `golang:1.${minor}-bookworm`,
    packages: ['golang-go'],
    dependencies: null,
  };
}
