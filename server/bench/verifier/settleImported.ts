import { randomBytes } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { removeScratch, temporaryScratch } from '../../base/owner.ts';
import type { PreparedEnvironment, Sandbox } from '../../executors/executor.ts';
import { diffDirectory } from '../../git/agentDiff.ts';
import { bundleOf, withBundle } from '../../git/bundle.ts';
import { patchTree } from '../../git/tree.ts';
import type { PreparedTask, TaskStep } from '../../tasks/preparedTask.ts';
import { gatherOutside } from '../outside.ts';
import { sandboxLimits, sandboxName } from '../sandboxes.ts';
import { beginning } from '../steps.ts';
import { runTimed } from '../timedCommand.ts';

/** How long a solution script may take where the task gives its agent no time limit. */
const solveTimeoutSec = 1800;

export interface Settling {
  readonly trialId: string;
  readonly task: PreparedTask;
  readonly environment: PreparedEnvironment;
  onRemoval(removal: Promise<void>): void;
}

/**
 * Finds out, in sandboxes, what the files of an imported task do not tell: what its environment puts into the working
 * directory before an agent starts, and what its solution script changes. Both are written into the task, as the
 * start and as `solution.patch`.
 * @throws CoachError `task.referenceFails` when the solution script fails
 */
export async function settleImported(settling: Settling, signal: AbortSignal): Promise<void> {
  const { task } = settling;
  // A sandbox whose files were copied out is of no further use.
  await withSandbox(settling, sandbox => adoptStart(sandbox, task, signal), signal);
  if (task.steps !== undefined) await workOutSteps(settling, task.steps.each, signal);
  else if (task.solve !== null) {
    const patch = await withSandbox(settling, sandbox => workOut(sandbox, task, signal), signal);
    await writeFileAtomic(join(task.directory, 'solution', 'solution.patch'), patch);
  }
}

/** The solution of each step goes on from those before it. A step without one of its own asks for nothing more. */
async function workOutSteps(settling: Settling, steps: readonly TaskStep[], signal: AbortSignal): Promise<void> {
  const { directory } = settling.task;
  if (steps.every(step => step.task.solve === null)) return;
  let patch: Buffer = Buffer.alloc(0);
  for (const step of steps) {
    const before = patch;
    patch = await withSandbox(
      settling,
      async sandbox => {
        await beginning(step, before)(sandbox, signal);
        return workOut(sandbox, step.task, signal);
      },
      signal,
    );
    await writeFileAtomic(join(directory, 'steps', step.name, 'solution.patch'), patch);
  }
  await writeFileAtomic(join(directory, 'solution', 'solution.patch'), patch);
}

/** Calls `work` with a sandbox as an agent gets it, but without any way out. */
export async function withSandbox<T>(
  { trialId, environment, onRemoval }: Omit<Settling, 'task'>,
  work: (sandbox: Sandbox) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const id = `${trialId}.${randomBytes(4).toString('hex')}`;
  const sandbox = await environment.start(
    {
      name: sandboxName(id, 'agent'),
      labels: { 'coach.trial': id },
      endpoint: null,
      mounts: [],
      limits: sandboxLimits(),
    },
    signal,
  );
  try {
    return await work(sandbox);
  } finally {
    onRemoval(sandbox.remove());
  }
}

/** Runs the solution script and answers all that has changed since the start. */
async function workOut(sandbox: Sandbox, task: PreparedTask, signal: AbortSignal): Promise<Buffer> {
  if (task.solve !== null) {
    const { root, command } = task.solve;
    await sandbox.copyIn(root, '/solution', signal);
    const timeoutSec = task.agentTimeoutSec ?? solveTimeoutSec;
    const run = await runTimed(sandbox, { command, cwd: task.workdir, env: {}, timeoutSec }, signal);
    if (run.timedOut || run.exitCode !== 0) throw solveFailure(task, run.exitCode, run.output);
  }
  await gatherOutside(sandbox, task, signal);
  const { patch } = await withCopy(sandbox, task, signal, directory => diffDirectory(task.bundle, directory, signal));
  return patch;
}

/** Where the environment was built, RUN and patterns of COPY may have made more than the task's files tell. */
async function adoptStart(sandbox: Sandbox, task: PreparedTask, signal: AbortSignal): Promise<void> {
  const { patch } = await withCopy(sandbox, task, signal, directory => diffDirectory(task.bundle, directory, signal));
  if (patch.length === 0) return;
  await withBundle(
    task.bundle,
    async start => {
      const tree = await patchTree(start, start.tree, patch, signal);
      const bundle = `${task.bundle}.new`;
      await bundleOf(start, tree, bundle, signal);
      await rename(bundle, task.bundle);
    },
    signal,
  );
}

/** Calls `work` with a copy of the repository that stands in a sandbox. */
export async function withCopy<T>(
  sandbox: Sandbox,
  { workdir }: PreparedTask,
  signal: AbortSignal,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const scratch = await temporaryScratch('settle');
  try {
    const directory = join(scratch, 'repository');
    await mkdir(directory);
    await sandbox.copyOut(workdir, directory, signal);
    return await work(directory);
  } finally {
    await removeScratch(scratch);
  }
}

function solveFailure({ name }: PreparedTask, exitCode: number | null, output: Buffer): CoachError {
  const last = output.toString().trim().split('\n').at(-1) ?? '';
  const how = exitCode === null ? 'did not end in time' : `ended with exit code ${exitCode}`;
  return new CoachError('task.referenceFails', `The solution script of ${name} ${how}: ${last}`, {
    hint: 'It runs offline and as a user without rights; scripts that install programs need an image that has them.',
  });
}
