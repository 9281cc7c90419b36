import { shellWord } from '../../base/shell.ts';
import { cannotRun, type RepositoryFiles, readText, resultAt, type TestSetup } from '../testing/testCommand.ts';

/** What Debian 12 has in /usr/share/maven-repo, by group and artifact. Maven finds these and no others without a network. */
const debianArtifacts: Readonly<Record<string, string>> = {
  'junit:junit': '4.13.2',
  'org.junit.jupiter:junit-jupiter': '5.9.2',
  'org.junit.jupiter:junit-jupiter-api': '5.9.2',
  'org.junit.jupiter:junit-jupiter-engine': '5.9.2',
  'org.junit.jupiter:junit-jupiter-params': '5.9.2',
  'org.junit.vintage:junit-vintage-engine': '5.9.2',
};

const debianHint =
  'Tasks have what Debian 12 packages: JUnit 4.13.2 or 5.9.2, and the usual plugins without a version.';

/** Rounds in which test files that do not compile are put aside: what they need may be what the task asks for. */
const rounds = 4;

/** JUnit tests of a Maven project. Null when there is neither pom.xml nor a Gradle build at the top. @throws CoachError `task.invalid` */
export async function detectJava(files: RepositoryFiles): Promise<TestSetup | null> {
  const pom = await readText(files, 'pom.xml');
  const gradle = files.paths.find(path => /^(?:build|settings)\.gradle(?:\.kts)?$/.test(path));
  if (pom === null && gradle === undefined) return null;
  if (pom === null) {
    throw cannotRun(
      `${gradle} asks for Gradle, which fetches what it needs while it builds`,
      'Add a pom.xml for Maven, or name a Dockerfile that has all of it: codex-coach task prepare <task> --dockerfile <path>',
    );
  }
  requireOffline(pom.replaceAll(/<!--[\s\S]*?-->/g, ''));
  const tests = files.paths.filter(path =>
    /^src\/test\/java\/.*(?:Tests?|TestCase)\.java$|^src\/test\/java\/(?:.*\/)?Test[^/]*\.java$/.test(path),
  );
  if (tests.length === 0) throw cannotRun('no test class is in src/test/java', 'Record a change that brings tests.');
  const classes = tests
    .map(path =>
      path
        .replace('src/test/java/', '')
        .replace(/\.java$/, '')
        .replaceAll('/', '.'),
    )
    .sort();
  const resultFile = resultAt('surefire.xml');
  return {
    command: mavenCommand(classes, resultFile),
    resultFormat: 'junit',
    resultFile,
    baseImage: 'debian:bookworm-slim',
    packages: [
      ...['default-jdk-headless', 'maven', 'junit4', 'junit5'],
      ...['libsurefire-java', 'libmaven-compiler-plugin-java', 'libmaven-resources-plugin-java'],
    ],
    dependencies: null,
  };
}

/** @throws CoachError `task.invalid` naming what Maven would have to fetch */
function requireOffline(pom: string): void {
  if (/<modules>/.test(pom)) throw cannotRun('pom.xml has modules', 'Tasks need a single module for now.');
  if (/<parent>/.test(pom)) throw cannotRun('pom.xml has a parent, which must be fetched', debianHint);
  const plugin = /<plugin>(?:(?!<\/plugin>)[\s\S])*<version>/.exec(pom);
  if (plugin !== null) throw cannotRun('pom.xml asks for plugins by version', debianHint);
  for (const [, dependency = ''] of pom.matchAll(/<dependency>([\s\S]*?)<\/dependency>/g)) {
    const part = (name: string) => new RegExp(`<${name}>\\s*([^<]*?)\\s*</${name}>`).exec(dependency)?.[1] ?? '';
    const artifact = `${part('groupId')}:${part('artifactId')}`;
    const version = part('version').replace(/^\$\{(.+)\}$/, (whole, name: string) => {
      return new RegExp(`<${name.replaceAll('.', '\\.')}>\\s*([^<]*?)\\s*</`).exec(pom)?.[1] ?? whole;
    });
    if (debianArtifacts[artifact] === version) continue;
    throw cannotRun(`pom.xml asks for ${artifact} ${version}`.trimEnd(), debianHint);
  }
}

/** Reports of an earlier build are removed first; what the classes said is put together into one file. */
function mavenCommand(classes: readonly string[], resultFile: string): string {
  const options = [
    ...['-o', '-B', '-ntp', '-Dstyle.color=never', '-Dmaven.repo.local=/usr/share/maven-repo'],
    ...['-DskipTests=false', '-Dmaven.test.skip=false', '-Dmaven.test.failure.ignore=false', '-DfailIfNoTests=false'],
    `-Dtest=${classes.join(',')}`,
  ];
  const log = `${resultFile}.log`;
  return [
    `for round in ${Array.from({ length: rounds }, (_, index) => index + 1).join(' ')}; do rm -rf target`,
    `mvn ${options.map(shellWord).join(' ')} test > ${log} 2>&1; code=$?; cat ${log}`,
    `broken=$(sed -n 's|^\\[ERROR\\] \\(/[^:]*/src/test/java/[^:]*[.]java\\):\\[.*|\\1|p' ${log} | sort -u)`,
    '[ -n "$broken" ] || break; rm -f $broken; done',
    `{ echo '<testsuites>'; sed -e '/^<?xml/d' target/surefire-reports/TEST-*.xml; echo '</testsuites>'; } > ${resultFile}`,
    'exit $code',
  ].join('; ');
}
