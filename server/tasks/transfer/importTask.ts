import { copyFile, lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { stringify as stringifyToml } from 'smol-toml';
import { CoachError } from '../../../protocol/errors.ts';
import type { TransferFormat } from '../../../protocol/tasks.ts';
import { type Clock, toIso } from '../../base/clock.ts';
import { verifierBundle, verifierDirectory } from '../format.ts';
import {
  preparedDirectory,
  requirePlaces,
  requireTaskName,
  toSlug,
  writeIgnoreFile,
  writeTaskDirectory,
} from '../places.ts';
import { refuseSecrets, secretsInFiles } from '../secrets.ts';
import type { ImportedMetadata } from '../taskToml.ts';
import { type FileNode, packTree, readTree, type TreeNode, writeTree } from './directoryTree.ts';
import { commitBundle, type ForeignEnvironment, type ForeignStep, type ForeignTask } from './foreignTask.ts';
import { readHarbor } from './harbor.ts';
import { readOneShot } from './oneshot.ts';
import { bundleOfCommit, bundleOfFiles, hasCommit } from './startFiles.ts';
import { parseInstance, readRows, toForeignTask } from './swebench.ts';
import { readTerminalBench } from './terminalBench.ts';

export interface ImportSpec {
  /** Root of the repository that the task goes into. */
  readonly root: string;
  /** A task directory, or a file with SWE-bench instances. */
  readonly path: string;
  readonly format: TransferFormat | undefined;
  readonly name: string | undefined;
  /** Which row of a SWE-bench file; not needed when it has one. */
  readonly instance: string | undefined;
}

/** File of an imported task's directory that holds what was imported, byte by byte, with modes and links. */
export const originalFile = 'original.tar';
/** The one file in it where the original was a row of a file. */
export const rowFile = 'instance.json';

/**
 * Makes a prepared task of one of another program, and keeps the original in it.
 * @throws CoachError `input.invalid`, `task.unsupported` naming what sandboxes here don't have, `task.secrets`
 * @returns directory of the prepared task
 */
export async function importTask(spec: ImportSpec, clock: Clock, signal: AbortSignal): Promise<string> {
  const { root, name } = spec;
  await requirePlaces(root);
  const path = resolve(spec.path);
  const { task, original } = await readForeign({ ...spec, path }, signal);
  const id = requireTaskName(name ?? toSlug(basename(task.name)));
  const target = join(preparedDirectory(root), id);
  if ((await lstat(target).catch(() => null)) !== null) {
    throw new CoachError('input.invalid', `There already is a task ${id}.`, { hint: 'Choose another --name.' });
  }
  await writeIgnoreFile(root);
  await writeTaskDirectory(target, async directory => {
    await writeImported({ root, task, id, original }, directory, toIso(clock.now()), signal);
    const given = [...task.context.map(file => `environment/${file.path}`), 'instruction.md'];
    refuseSecrets(await secretsInFiles(directory, given), 'The imported task');
  });
  return target;
}

/** What was found at a path, and its files as they are. */
async function readForeign(
  { root, path, format, instance }: ImportSpec,
  signal: AbortSignal,
): Promise<{ task: ForeignTask; original: readonly TreeNode[] }> {
  const found = await lstat(path).catch(() => null);
  if (found === null) throw new CoachError('input.invalid', `There is nothing at ${path}.`);
  if (found.isFile()) {
    const { row, text } = await readRow(path, instance);
    const parsed = parseInstance(row, path);
    const isHere = await hasCommit(root, parsed.base_commit, signal);
    const original: TreeNode = { kind: 'file', path: rowFile, mode: 0o644, content: Buffer.from(text) };
    return { task: toForeignTask(parsed, isHere), original: [original] };
  }
  const nodes = await readTree(path);
  switch (format ?? formatOf(nodes, path)) {
    case 'terminal-bench':
      return { task: readTerminalBench(nodes, path, basename(path)), original: nodes };
    case 'oneshot':
      return { task: readOneShot(nodes, path), original: nodes };
    case 'swe-bench':
      throw new CoachError(
        'input.invalid',
        `${path} is a directory; SWE-bench instances are rows of a JSON or JSONL file.`,
      );
    default:
      return { task: readHarbor(nodes, path, basename(path)), original: nodes };
  }
}

async function readRow(path: string, instance: string | undefined): Promise<{ row: unknown; text: string }> {
  const rows = readRows(await readFile(path, 'utf8'), path);
  const idOf = (row: unknown) => String((row as Record<string, unknown>)['instance_id']);
  const wanted = instance === undefined ? rows : rows.filter(({ row }) => idOf(row) === instance);
  const [one] = wanted;
  if (one !== undefined && wanted.length === 1) return one;
  const some = rows
    .slice(0, 5)
    .map(({ row }) => idOf(row))
    .join(', ');
  throw new CoachError(
    'input.invalid',
    `${path} has ${wanted.length} instances${instance === undefined ? '' : ` ${instance}`}; one is imported at a time.`,
    {
      hint: `Name one with --instance, such as: ${some}`,
    },
  );
}

function formatOf(nodes: readonly TreeNode[], path: string): TransferFormat {
  const has = (name: string) => nodes.some(node => node.path === name);
  if (has('task.toml')) return 'harbor';
  if (has('task.yaml')) return 'terminal-bench';
  if (has('tb_meta.json') || has('evaluation_results.json')) return 'oneshot';
  throw new CoachError(
    'input.invalid',
    `${path} is no task that can be told: no task.toml, task.yaml or tb_meta.json.`,
    {
      hint: 'Harbor, Terminal-Bench 1, OneShot and SWE-bench tasks can be imported.',
    },
  );
}

interface Imported {
  readonly root: string;
  readonly task: ForeignTask;
  readonly id: string;
  readonly original: readonly TreeNode[];
}

async function writeImported(
  { root, task, id, original }: Imported,
  directory: string,
  now: string,
  signal: AbortSignal,
): Promise<void> {
  const put = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  };
  const putFiles = (under: string, files: readonly FileNode[]) => writeTree(join(directory, under), withParents(files));
  await putFiles('environment', task.context);
  await put('environment/Dockerfile', sealedDockerfile(task));
  const bundle = join(directory, 'start.bundle');
  if ('commit' in task.start) {
    await bundleOfCommit(root, task.start.commit, bundle, signal);
    await copyFile(bundle, join(directory, 'environment', commitBundle));
  } else await bundleOfFiles(task.start, bundle, signal);
  await putFiles('tests/files', task.tests);
  const unproven = { format: 1, fail_to_pass: [], pass_to_pass: [], proof: null, proven_digest: null };
  await put('tests/expected.json', `${JSON.stringify(unproven, null, 2)}\n`);
  await putFiles('solution/files', task.solution);
  await putSteps(task, directory);
  await putVerifierEnvironment(task, directory, signal);
  if (task.solutionPatch !== null) await put('solution/solution.patch', task.solutionPatch);
  await put('instruction.md', `${task.instruction}\n`);
  await put('task.toml', toTaskToml(task, id, now));
  await put(originalFile, await packTree(original));
}

async function putSteps({ steps }: ForeignTask, directory: string): Promise<void> {
  for (const step of steps?.each ?? []) {
    const place = join(directory, 'steps', step.name);
    await writeTree(join(place, 'tests'), withParents(step.tests));
    await writeTree(join(place, 'solution'), withParents(step.solution));
    await writeTree(join(place, 'workdir'), withParents(step.workdirFiles));
    await writeFile(join(place, 'instruction.md'), `${step.instruction}\n`);
    const own = step.verifierEnvironment;
    if (own !== null && own !== 'agent') await putEnvironment(own, join(place, verifierDirectory));
  }
}

/** An environment of the verifier's own holds nothing of the task but what its Dockerfile copies. */
async function putVerifierEnvironment(task: ForeignTask, directory: string, signal: AbortSignal): Promise<void> {
  const own = task.verifierEnvironment;
  if (own !== undefined) await putEnvironment(own, join(directory, verifierDirectory));
  const steps = (task.steps?.each ?? []).map(step => step.verifierEnvironment);
  if (own === undefined && !steps.some(step => step !== null && step !== 'agent')) return;
  await bundleOfFiles([], join(directory, verifierBundle), signal);
}

async function putEnvironment(own: ForeignEnvironment, place: string): Promise<void> {
  await writeTree(place, withParents(own.context));
  await writeFile(join(place, 'Dockerfile'), onBaseImage(own));
}

/** Files as nodes with the directories above them, parents first. */
export function withParents(files: readonly FileNode[]): TreeNode[] {
  const directories = new Set<string>();
  for (const { path } of files) {
    const parts = path.split('/').slice(0, -1);
    for (const [index] of parts.entries()) directories.add(parts.slice(0, index + 1).join('/'));
  }
  return [...[...directories].sort().map(path => ({ kind: 'directory', path, mode: 0o755 }) as const), ...files];
}

function toTaskToml(task: ForeignTask, id: string, now: string): string {
  const { verifier, agentTimeoutSec, solveCommand, verifierEnvironment: own } = task;
  const coach: ImportedMetadata = {
    format: 1,
    verifier: 'script',
    title: task.title,
    task_id: id,
    captured_at: now,
    files: [],
    workdir: task.workdir,
    imported_from: task.format,
    verify_command: verifier.command,
    ...(solveCommand === null ? {} : { solve_command: solveCommand }),
    steps: (task.steps?.each ?? []).map(step => ({
      name: step.name,
      verify_timeout_sec: step.verifierTimeoutSec,
      verify_env: { ...step.verifierEnv },
      ...(step.solveCommand === null ? {} : { solve_command: step.solveCommand }),
      min_rewards: { ...step.minRewards },
      ...stepVerifier(step),
    })),
    step_rewards: task.steps?.rewards ?? 'mean',
    ...(own === undefined ? {} : { verifier_environment: { workdir: own.workdir } }),
    artifacts: [...(task.artifacts ?? [])],
    rubrics: task.rubrics.map(rubric => ({ ...rubric })),
    cannot_run: [...task.cannotRun],
    notes: [...task.notes],
  };
  return stringifyToml({
    schema_version: '1.4',
    task: { name: `local/${id}`, description: task.title, authors: [], keywords: [...task.tags] },
    metadata: { codex_coach: coach },
    ...(agentTimeoutSec === null ? {} : { agent: { timeout_sec: agentTimeoutSec } }),
    verifier: { timeout_sec: verifier.timeoutSec, env: { ...verifier.env } },
    environment: { build_timeout_sec: 600 },
  });
}

function stepVerifier({ verifierEnvironment: own, artifacts }: ForeignStep) {
  const place = own === null ? {} : { verifier_environment: own === 'agent' ? own : { workdir: own.workdir } };
  return { ...place, artifacts: [...artifacts] };
}

/** The task's own Dockerfile, on an image that can be another, ended by a repository of one commit if it has none. */
function sealedDockerfile({ dockerfile, baseImage, workdir }: ForeignTask): string {
  return `${onBaseImage({ dockerfile, baseImage })}USER root
RUN command -v git >/dev/null || (apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*)
RUN mkdir -p ${workdir} && cd ${workdir} && (test -e .git || (git init --quiet --initial-branch=main \\
 && git add --all --force && git -c user.name=task -c user.email=task@localhost commit --quiet --allow-empty -m Start))
WORKDIR ${workdir}
`;
}

function onBaseImage({ dockerfile, baseImage }: { readonly dockerfile: string; readonly baseImage: string }): string {
  return `# BASE_IMAGE stands for the last image that the task's own Dockerfile, which follows, is built on.
ARG BASE_IMAGE=${baseImage}
${dockerfile.trimEnd()}
`;
}
