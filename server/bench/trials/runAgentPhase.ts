import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import { noUsage } from '../../../protocol/usage.ts';
import { toIso } from '../../base/clock.ts';
import { DisposableStack } from '../../base/disposable.ts';
import { makeScratch, removeScratch } from '../../base/owner.ts';
import type { Sandbox } from '../../executors/executor.ts';
import { diffDirectory } from '../../git/agentDiff.ts';
import type { TreeDiff } from '../../git/tree.ts';
import { requireReference } from '../../tasks/reference.ts';
import { applyChange, gatherOutside } from '../outside.ts';
import { sandboxLimits, sandboxName } from '../sandboxes.ts';
import type { AgentPhase } from './agentPhase.ts';
import { agentPlace, modelPort, runProgram } from './agentProgram.ts';
import { type ModelAccess, makeModelScratch, openModel } from './modelAccess.ts';
import { applyPrediction } from './prediction.ts';
import type { TrialDeps } from './trial.ts';
import type { AgentEnd, AgentWork } from './tries.ts';

/** The agent's sandbox, ready for it. */
interface Prepared {
  readonly sandbox: Sandbox;
  readonly model: ModelAccess | null;
  /** Path of the agent's program below its mount; null for one that brings none. */
  readonly program: string | null;
}

/**
 * Lets the agent work in a fresh sandbox, or goes on with one at work, and takes out what it changed. When this returns, nothing
 * in the sandbox runs any more, and its removal, with that of its way to the model, is under way; when it throws, all is gone.
 */
export async function runAgentPhase(
  phase: AgentPhase,
  deps: TrialDeps,
  signal: AbortSignal,
): Promise<{ work: AgentWork; patch: Buffer }> {
  const owned = new DisposableStack();
  try {
    const place = await prepare(phase, deps, owned, signal);
    const { model } = place;
    const isWorking = phase.agent.kind === 'program' || phase.agent.kind === 'nop';
    if (isWorking && phase.adopted === null) await phase.begin?.(place.sandbox, signal);
    // A program is once it has started.
    if (phase.agent.kind !== 'program' || phase.adopted?.hasStarted === true) phase.onAtWork();
    const acted = await act(phase, deps, place, signal);
    const taken = await takeDiff(place.sandbox, phase, deps, owned, signal).catch(onlyTooMuch);
    const diff = taken ?? noChange;
    model?.launch.abort();
    await model?.launch.settled();
    const work: AgentWork = {
      ...acted,
      ...(taken === null ? { end: { kind: 'diskSpent' } as const } : {}),
      usage: model?.meter().usage ?? noUsage,
      sessionIds: model?.sessionIds() ?? [],
      mismatches: [...(model?.failures() ?? [])],
    };
    // Before the sandbox goes: from then on this is all there is of the agent's work.
    await phase.journal.onWork(work, diff);
    await place.sandbox.stop();
    deps.onRemoval(owned.dispose());
    return { work, patch: diff.patch };
  } catch (error) {
    await owned.dispose();
    throw error;
  }
}

const noChange: TreeDiff = {
  patch: Buffer.alloc(0),
  files: [],
  numbers: { files: 0, insertions: 0, deletions: 0 },
};

/** What is too large to be taken out is the agent's fault, not the machine's: it is judged as if nothing was changed. */
function onlyTooMuch(error: unknown): null {
  if (error instanceof CoachError && error.code === 'sandbox.diskSpent') return null;
  throw error;
}

async function prepare(
  phase: AgentPhase,
  deps: TrialDeps,
  owned: DisposableStack,
  signal: AbortSignal,
): Promise<Prepared> {
  const { adopted, agent } = phase;
  const installed = agent.package === null ? null : await deps.install(agent, signal);
  const program = installed?.program ?? null;
  const mounts = installed === null ? [] : [{ host: installed.directory, inside: agentPlace }];
  const spec = { labels: { 'coach.trial': phase.trialId }, mounts, limits: sandboxLimits() };
  const name = sandboxName(phase.key, 'agent');
  if (agent.kind !== 'program') {
    const sandbox = await phase.environment.start({ ...spec, name, endpoint: null }, signal);
    owned.defer(() => sandbox.remove());
    return { sandbox, model: null, program };
  }
  if (adopted !== null) {
    owned.defer(() => removeScratch(adopted.scratch));
    owned.defer(() => adopted.sandbox.remove());
    const earlier = deps.traces.recorded(phase.trialId, toIso(adopted.startedAt));
    const model = await openModel(phase, adopted.scratch, earlier, deps, owned);
    return { sandbox: adopted.sandbox, model, program };
  }
  const scratch = await makeModelScratch(phase.key, deps.workspaces);
  owned.defer(() => removeScratch(scratch));
  const model = await openModel(phase, scratch, nothingRecorded, deps, owned);
  const place = { sandbox: name, sandboxId: null, scratch, canBeAdopted: phase.choice.replay === null };
  phase.journal.onPlace(place);
  const endpoint = model === null ? null : { socket: model.socket, port: modelPort };
  const sandbox = await phase.environment.start({ ...spec, name, endpoint, claim: scratch }, signal);
  owned.defer(() => sandbox.remove());
  phase.journal.onPlace({ ...place, sandboxId: sandbox.id });
  return { sandbox, model, program };
}

const nothingRecorded = { usage: noUsage, costUsd: 0, sessionIds: [] };

/** What the agent does in its sandbox, until it ends or has to. */
async function act(
  phase: AgentPhase,
  deps: TrialDeps,
  place: Prepared,
  signal: AbortSignal,
): Promise<{ end: AgentEnd; heardModel: boolean }> {
  const { agent, task } = phase;
  const finished = { end: { kind: 'finished' }, heardModel: false } as const;
  switch (agent.kind) {
    case 'nop':
      return finished;
    case 'oracle':
      await applyChange(place.sandbox, task, requireReference(task), signal);
      return finished;
    case 'patch':
      return { end: await applyPrediction(place.sandbox, phase, signal), heardModel: false };
    case 'program':
      return runProgram(phase, deps, place, signal);
  }
}

/** Copies the repository out, as the agent left it, with what the task declares beside it, and compares it with the start. */
async function takeDiff(
  sandbox: Sandbox,
  { key, task }: AgentPhase,
  deps: TrialDeps,
  owned: DisposableStack,
  signal: AbortSignal,
): Promise<TreeDiff> {
  // An earlier server may have left the same, which is being swept.
  const scratch = join(deps.workspaces, `${sandboxName(key, 'out')}-${process.pid}`);
  owned.defer(() => removeScratch(scratch));
  await makeScratch(scratch);
  const directory = join(scratch, 'repository');
  await mkdir(directory);
  await gatherOutside(sandbox, task, signal);
  await sandbox.copyOut(task.workdir, directory, signal);
  return diffDirectory(task.bundle, directory, signal);
}
