import { shellWord } from '../../base/shell.ts';
import { cannotRun, type RepositoryFiles, readText, resultAt, type TestSetup } from '../testing/testCommand.ts';

/** What Debian 12 has, and what stands in for the image of that version where no registry is in reach. */
const debianVersion = 63;

/**
 * Tests of `cargo test`, one target after the other: where one does not compile, the others are run all the same. Null when
 * there is no Cargo.toml at the top. @throws CoachError `task.invalid`
 */
export async function detectRust(files: RepositoryFiles): Promise<TestSetup | null> {
  const manifest = await readText(files, 'Cargo.toml');
  if (manifest === null) return null;
  if (/^\s*\[workspace\b/m.test(manifest)) {
    throw cannotRun('Cargo.toml is that of a workspace', 'Tasks need a single package for now.');
  }
  if (
    /^\s*\[(?:dev-|build-)?dependencies\]\s*\n\s*[\w-]+/m.test(manifest) &&
    !files.paths.includes('.cargo/config.toml')
  ) {
    throw cannotRun(
      'Cargo.toml has dependencies, which are not there without a network',
      'Run "cargo vendor", commit vendor/ and the .cargo/config.toml that it prints, then record the task again.',
    );
  }
  const targets = [
    ...(files.paths.includes('src/lib.rs') ? ['--lib', '--doc'] : []),
    ...(files.paths.some(path => /^src\/(?:main\.rs|bin\/)/.test(path)) ? ['--bins'] : []),
    ...files.paths.flatMap(path => /^tests\/([^/]+)\.rs$/.exec(path)?.[1] ?? []).map(name => `--test=${name}`),
  ];
  if (targets.length === 0)
    throw cannotRun('Cargo.toml has neither a library nor tests', 'Record a change with tests.');
  const minor = Math.max(debianVersion, Number(/^rust-version\s*=\s*"1\.(\d+)/m.exec(manifest)?.[1] ?? 0));
  const resultFile = resultAt('cargo-test.txt');
  const all = targets.sort().map(shellWord).join(' ');
  return {
    command: `code=0; for target in ${all}; do cargo test --offline --no-fail-fast "$target" || code=$?; done > ${resultFile} 2>&1; exit $code`,
    resultFormat: 'cargo',
    resultFile,
    baseImage: `rust:1.${minor}-slim-bookworm`,
    packages: ['cargo'],
    dependencies: null,
  };
}
