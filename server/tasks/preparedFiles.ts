import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { stringify as stringifyToml } from 'smol-toml';
import { bundleOf } from '../git/bundle.ts';
import { exactBytes } from '../git/store.ts';
import { readBlob } from '../git/tree.ts';
import type { CoachMetadata } from './format.ts';
import type { SealedTask } from './prepare.ts';
import { testScript } from './testScript.ts';
import { resultFile, type TestSetup } from './testSetup.ts';

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
  const { created, setup, store } = sealed;
  await put('task.toml', toTaskToml(sealed, basename(target)));
  await put('instruction.md', `${created.meta.lm.instructions.trim()}\n`);
  await put('environment/Dockerfile', toDockerfile(setup));
  await bundleOf(store, sealed.startTree, join(directory, 'environment', 'repo.bundle'), signal);
  await put('tests/test.sh', testScript({ workdir, command: setup.command, resultFile }), 0o755);
  const unproven = { format: 1, fail_to_pass: [], pass_to_pass: [], proof: null, proven_digest: null };
  await put('tests/expected.json', `${JSON.stringify(unproven, null, 2)}\n`);
  for (const { path, blob, mode } of sealed.tests) {
    await put(`tests/files/${path}`, await readBlob(store, blob, signal), mode === '100755' ? 0o755 : 0o644);
  }
  await put('solution/solution.patch', sealed.solutionPatch);
  await put('solution/solve.sh', solveScript, 0o755);
}

function toTaskToml({ created, setup, files }: SealedTask, name: string): string {
  const { task_id, metadata, repo } = created.meta;
  const coach: Omit<CoachMetadata, 'session_id'> & { session_id?: string } = {
    format: 1,
    title: metadata.title,
    task_id,
    captured_at: metadata.created_at,
    start_commit: repo.start_commit_sha,
    files: files.map(file => file.path),
    workdir,
    test_command: setup.command,
    result_format: 'junit',
    result_file: resultFile,
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

/** One commit, no remote, no reflog, and every byte as recorded. */
function toDockerfile({ baseImage, install }: TestSetup): string {
  return `ARG BASE_IMAGE=${baseImage}
FROM \${BASE_IMAGE}
RUN command -v git >/dev/null || (apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*)
COPY repo.bundle /tmp/repo.bundle
RUN git init --quiet --template= --initial-branch=main ${workdir} \\
 && mkdir -p ${workdir}/.git/info \\
 && echo '${exactBytes.trim()}' > ${workdir}/.git/info/attributes \\
 && cd ${workdir} \\
 && git -c core.logAllRefUpdates=false bundle unbundle /tmp/repo.bundle >/dev/null \\
 && git -c core.logAllRefUpdates=false update-ref refs/heads/main "$(git bundle list-heads /tmp/repo.bundle HEAD | cut -d ' ' -f 1)" \\
 && git -c core.logAllRefUpdates=false reset --quiet --hard \\
 && rm -f .git/ORIG_HEAD /tmp/repo.bundle
WORKDIR ${workdir}
${install === null ? '' : `RUN ${install}\n`}`;
}

const solveScript = `#!/bin/sh
set -eu
cd ${workdir}
git apply --binary --whitespace=nowarn /solution/solution.patch
`;
