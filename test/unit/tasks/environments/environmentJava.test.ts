import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { detectTestSetup } from '../../../../server/tasks/environments/testSetup.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const files = (content: Readonly<Record<string, string>>) => ({
  paths: Object.keys(content),
  read: async (path: string) => (content[path] === undefined ? null : Buffer.from(content[path])),
});
const dependency = (group: string, artifact: string, version: string) =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
const pom = (inner: string) => `<project><properties><junit>5.9.2</junit></properties>${inner}</project>`;
const test = 'src/test/java/org/example/AddTest.java';
const setupOf = (inner: string) => detectTestSetup(files({ 'pom.xml': pom(inner), [test]: '' }));

describe('tests of Maven', () => {
  it('are the classes that Surefire would run, each by its name', async () => {
    const setup = await detectTestSetup(
      files({
        'pom.xml': pom(dependency('org.junit.jupiter', 'junit-jupiter', `\${junit}`)),
        [test]: '',
        'src/test/java/TestAll.java': '',
        'src/test/java/org/example/Helper.java': '',
      }),
    );
    expect(setup).toMatchObject({ resultFormat: 'junit', baseImage: 'debian:bookworm-slim' });
    expect(setup.command).toContain('-Dtest=TestAll,org.example.AddTest test');
    expect(setup.packages).toContain('libsurefire-java');
  });

  it.each([
    ['<modules><module>a</module></modules>', 'pom.xml has modules'],
    ['<parent><artifactId>a</artifactId></parent>', 'pom.xml has a parent'],
    [dependency('junit', 'junit', '4.12'), 'pom.xml asks for junit:junit 4.12'],
    [dependency('com.google.guava', 'guava', `\${guava}`), `pom.xml asks for com.google.guava:guava \${guava}`],
    [
      '<build><plugins><plugin><artifactId>a</artifactId><version>1</version></plugin></plugins></build>',
      'plugins by version',
    ],
  ])('are refused where Maven would have to fetch: %s', async (inner, message) => {
    await expect(setupOf(inner)).rejects.toMatchObject({
      code: 'task.invalid',
      message: expect.stringContaining(message),
    });
    await expect(setupOf(`<!-- ${inner} -->`)).resolves.toMatchObject({ resultFormat: 'junit' });
  });

  it('are refused with Gradle, by name', async () => {
    await expect(detectTestSetup(files({ 'build.gradle.kts': '', [test]: '' }))).rejects.toMatchObject({
      message: expect.stringContaining('build.gradle.kts asks for Gradle'),
      hint: expect.stringContaining('--dockerfile'),
    });
  });

  it('run without those that do not compile, and leave one report', async () => {
    const { command } = await setupOf('');
    const directory = temporaryDirectory();
    const repository = join(directory, 'repository');
    mkdirSync(join(repository, 'src/test/java/org/example'), { recursive: true });
    writeFileSync(join(repository, test), 'broken');
    // What Maven says and leaves, in short.
    const maven = `#!/bin/sh
if [ -e ${repository}/${test} ]; then echo "[ERROR] ${repository}/${test}:[3,5] cannot find symbol"; exit 1; fi
mkdir -p target/surefire-reports
printf '<?xml version="1.0"?>\\n<testsuite name="A"><testcase classname="A" name="a"/></testsuite>\\n' > target/surefire-reports/TEST-A.xml
`;
    writeFileSync(join(directory, 'mvn'), maven);
    chmodSync(join(directory, 'mvn'), 0o755);
    const moved = command.replaceAll('/logs/verifier', directory);
    const env = { PATH: `${directory}:${process.env['PATH']}` };
    execFileSync('sh', ['-c', moved], { cwd: repository, env });
    expect(existsSync(join(repository, test))).toBe(false);
    expect(readFileSync(join(directory, 'surefire.xml'), 'utf8')).toBe(
      '<testsuites>\n<testsuite name="A"><testcase classname="A" name="a"/></testsuite>\n</testsuites>\n',
    );
  });
});
