import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { stringify as stringifyToml } from 'smol-toml';
import type { Criterion } from '../../protocol/rubric.ts';
import { bundleOf } from '../git/bundle.ts';
import { exactBytes } from '../git/store.ts';
import { readBlob } from '../git/tree.ts';
import type { GivenEnvironment } from './environments/environmentDockerfile.ts';
import { addCriterion } from './rubric.ts';
import type { Judge, SealedTask } from './sealedTask.ts';
import type { SealedMetadata } from './taskToml.ts';
import { testScript } from './testing/testScript.ts';

/** Where the repository lies in the sandbox. */
const workdir = '/app';

/** Writes the files of a Harbor task directory (schema 1.4) into `directory`, which will become `target`. */
export async function writePrepared(
  sealed: SealedTask,
  target: string,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const put = async (path: string, content: string | Buffer, mode = 0o644) => {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
    await chmod(join(directory, path), mode);
  };
  const { created, judge, setup, given, store } = sealed;
  await put('task.toml', toTaskToml(sealed, basename(target)));
  await put('instruction.md', `${created.meta.lm.instructions.trim()}\n`);
  await put('environment/Dockerfile', toDockerfile(setup, given?.environment));
  for (const { path, blob, mode } of given?.context ?? []) {
    await put(`environment/context/${path}`, await readBlob(store, blob, signal), mode === '100755' ? 0o755 : 0o644);
  }
  const needs = { packages: setup.packages, dependencies: setup.dependencies?.manager ?? null };
  await put('environment/needs.json', `${JSON.stringify(needs, null, 2)}\n`);
  for (const [path, content] of sealed.dependencyFiles) await put(`environment/dependencies/${path}`, content);
  await bundleOf(store, sealed.startTree, join(directory, 'environment', 'repo.bundle'), signal);
  await put('tests/test.sh', judge.verifier === 'tests' ? testScript({ workdir, ...judge.setup }) : noScript, 0o755);
  const unproven = { format: 1, fail_to_pass: [], pass_to_pass: [], proof: null, proven_digest: null };
  await put('tests/expected.json', `${JSON.stringify(unproven, null, 2)}\n`);
  for (const { path, blob, mode } of sealed.tests) {
    await put(`tests/files/${path}`, await readBlob(store, blob, signal), mode === '100755' ? 0o755 : 0o644);
  }
  await put('solution/solution.patch', sealed.solutionPatch);
  await put('solution/solve.sh', solveScript, 0o755);
  for (const criterion of criteriaOf(sealed)) await addCriterion(directory, criterion, judge.verifier !== 'rubric');
}

/** The rubric that was captured; where nothing else judges and there is none, one to begin with. */
function criteriaOf({ created, judge }: SealedTask): readonly Criterion[] {
  const captured = created.meta.evaluation.rubrics.map(({ id, criterion, weight }) => ({
    id,
    text: criterion,
    weight,
  }));
  return captured.length === 0 && judge.verifier === 'rubric' ? firstCriteria : captured;
}

const firstCriteria: readonly Criterion[] = [
  { id: 'asked', text: 'The change does everything that the instruction asks for.', weight: 2 },
  { id: 'true', text: 'What the change says about the code agrees with the reference solution.', weight: 2 },
  { id: 'only', text: 'The change touches nothing that the instruction does not ask for.', weight: 1 },
];

/** The members of `[metadata.codex_coach]` that say who judges. */
function judgedBy(judge: Judge) {
  if (judge.verifier === 'mutation')
    return { verifier: judge.verifier, mutate: [...judge.mutate], mutation_threshold: 0.6 };
  if (judge.verifier === 'rubric') return { verifier: judge.verifier };
  const { command, resultFormat, resultFile } = judge.setup;
  return { test_command: command, result_format: resultFormat, result_file: resultFile };
}

function toTaskToml({ created, kind, judge, files }: SealedTask, name: string): string {
  const { task_id, metadata, repo } = created.meta;
  const coach: Partial<SealedMetadata> = {
    format: 1,
    kind,
    title: metadata.title,
    task_id,
    captured_at: metadata.created_at,
    start_commit: repo.start_commit_sha,
    files: files.map(file => file.path),
    workdir,
    ...judgedBy(judge),
    ...(created.sessionId === null ? {} : { session_id: created.sessionId }),
  };
  return stringifyToml({
    schema_version: '1.4',
    task: { name: `local/${name}`, description: metadata.title, authors: [], keywords: metadata.tags },
    metadata: { codex_coach: coach },
    agent: { timeout_sec: 1800 },
    verifier: { timeout_sec: 300 },
    environment: { build_timeout_sec: 600, cpus: 1, memory_mb: 2048, storage_mb: 10240 },
  });
}

/** Debian packages, and what works where one is there in another way. */
const packageProbes: Readonly<Record<string, string>> = {
  'golang-go': 'go version',
  cargo: 'cargo --version',
  'python3-pytest': "python3 -c 'import pytest'",
  'default-jdk-headless': 'javac -version',
  maven: 'mvn --version',
  'libsurefire-java': 'ls /usr/share/maven-repo/org/apache/maven/plugins/maven-surefire-plugin',
  'libmaven-compiler-plugin-java': 'ls /usr/share/maven-repo/org/apache/maven/plugins/maven-compiler-plugin',
  'libmaven-resources-plugin-java': 'ls /usr/share/maven-repo/org/apache/maven/plugins/maven-resources-plugin',
  junit4: 'ls /usr/share/maven-repo/junit/junit/4.13.2',
  junit5: 'ls /usr/share/maven-repo/org/junit/jupiter/junit-jupiter/5.9.2',
};

/** Steps of their own before the repository, so that they are done once for all tasks with the same files. Codex Coach mounts them instead. */
const installSteps: Readonly<Record<'npm' | 'pip', string>> = {
  npm: `ARG DEPENDENCIES=install
COPY dependencies/ /
RUN [ "$DEPENDENCIES" = mounted ] || (cd / && npm ci --ignore-scripts --no-audit --no-fund)
RUN mkdir -p ${workdir}/node_modules
`,
  pip: `ARG DEPENDENCIES=install
COPY dependencies/ /opt/task/
RUN [ "$DEPENDENCIES" = mounted ] || (cd /opt/task && apt-get update && apt-get install -y --no-install-recommends python3-pip && find . -name '*.txt' -exec pip install --only-binary=:all: --target python -r {} ';')
`,
};

/** One commit, no remote, no reflog, and every byte as recorded. */
function toDockerfile({ baseImage, packages, dependencies }: SealedTask['setup'], given?: GivenEnvironment): string {
  const probes = {
    git: 'git --version',
    nodejs: 'node --version',
    ...Object.fromEntries(packages.map(name => [name, packageProbes[name]])),
  };
  const missing = Object.entries(probes).map(
    ([name, probe]) => `; ${probe} >/dev/null 2>&1 || missing="$missing ${name}"`,
  );
  const named = given === undefined ? '' : [...given.steps, 'USER root', ''].join('\n');
  return `ARG BASE_IMAGE=${given?.baseImage ?? baseImage}
FROM \${BASE_IMAGE}
${named}RUN missing=${missing.join(' \\\n ')} \\
 ; [ -z "$missing" ] || (apt-get update && apt-get install -y --no-install-recommends $missing && rm -rf /var/lib/apt/lists/*)
${dependencies === null ? '' : installSteps[dependencies.manager]}COPY repo.bundle /tmp/repo.bundle
RUN git init --quiet --template= --initial-branch=main ${workdir} \\
 && mkdir -p ${workdir}/.git/info \\
 && echo '${exactBytes.trim()}' > ${workdir}/.git/info/attributes \\
 && cd ${workdir} \\
 && git -c core.logAllRefUpdates=false bundle unbundle /tmp/repo.bundle >/dev/null \\
 && git -c core.logAllRefUpdates=false update-ref refs/heads/main "$(git bundle list-heads /tmp/repo.bundle HEAD | cut -d ' ' -f 1)" \\
 && git -c core.logAllRefUpdates=false reset --quiet --hard \\
 && rm -f .git/ORIG_HEAD /tmp/repo.bundle
WORKDIR ${workdir}
`;
}

/** Other programs have no mutants and no judge: they get no reward rather than a wrong one. */
const noScript = `#!/bin/sh
echo 'This task has no hidden tests. Codex Coach judges it: codex-coach run' >&2
exit 1
`;

const solveScript = `#!/bin/sh
set -eu
cd ${workdir}
git apply --binary --whitespace=nowarn /solution/solution.patch
`;
