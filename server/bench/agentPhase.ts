import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import type { AgentChoice, RunLimits } from '../../protocol/runs.ts';
import { noUsage, totalTokens, type Usage } from '../../protocol/usage.ts';
import type { Agent, AgentEvent } from '../agents/agent.ts';
import { DisposableStack } from '../base/disposable.ts';
import { makeScratch } from '../base/owner.ts';
import type { PreparedEnvironment, Sandbox } from '../executors/executor.ts';
import { diffDirectory } from '../git/agentDiff.ts';
import type { TreeDiff } from '../git/tree.ts';
import type { PreparedTask } from '../tasks/preparedTask.ts';
import { lineReader, OutputPace } from './agentOutput.ts';
import { type LimitReached, LimitWatch } from './limits.ts';
import { type ModelAccess, openModel } from './modelAccess.ts';
import { applyIn, sandboxLimits, sandboxName } from './sandboxes.ts';
import type { TrialDeps } from './trial.ts';

/** How the agent's part ended. */
export type AgentEnd =
  | { readonly kind: 'finished' }
  | { readonly kind: 'agentFailed'; readonly exitCode: number }
  | LimitReached;

export interface AgentOutcome {
  readonly end: AgentEnd;
  readonly diff: TreeDiff;
  readonly usage: Usage;
  /** False when the agent worked, or tried to, without one reply of its model. */
  readonly heardModel: boolean;
  readonly sessionIds: readonly string[];
  /** What the replay found wrong; empty without a replay. */
  readonly mismatches: readonly string[];
}

export interface AgentPhase {
  readonly trialId: string;
  readonly task: PreparedTask;
  readonly agent: Agent;
  readonly choice: AgentChoice;
  readonly label: string;
  readonly limits: RunLimits;
  readonly environment: PreparedEnvironment;
  /** `agent/` of the trial's directory. */
  readonly logs: AgentLogs;
  onEvent(event: AgentEvent): void;
  onUsage(usage: Usage): void;
}

/** Where the agent's output is kept while it comes. More may come once what they answer with has resolved. */
export interface AgentLogs {
  stdout(chunk: Buffer): Promise<void> | undefined;
  stderr(chunk: Buffer): Promise<void> | undefined;
}

/** Port inside the sandbox that leads to the proxy. */
const modelPort = 18_080;
const agentPlace = '/opt/agent';

/**
 * Lets the agent work in a fresh sandbox and takes out what it changed. When this returns or throws, the sandbox is gone,
 * and so are its way to the model and the replay.
 */
export async function runAgentPhase(phase: AgentPhase, deps: TrialDeps, signal: AbortSignal): Promise<AgentOutcome> {
  const owned = new DisposableStack();
  try {
    const model =
      phase.agent.kind === 'program'
        ? await openModel({ ...phase, maxTokens: phase.limits.maxTokens }, deps, owned)
        : null;
    const program = await installed(phase, deps, signal);
    const sandbox = await phase.environment.start(
      {
        name: sandboxName(phase.trialId, 'agent'),
        labels: { 'coach.trial': phase.trialId },
        endpoint: model === null ? null : { socket: model.socket, port: modelPort },
        mounts: program === null ? [] : [{ host: program.directory, inside: agentPlace }],
        limits: sandboxLimits(),
      },
      signal,
    );
    owned.defer(() => sandbox.remove());
    const { end, heardModel } = await act(phase, deps, { sandbox, model, program: program?.program ?? null }, signal);
    const diff = await takeDiff(sandbox, phase, deps, owned, signal);
    await sandbox.remove();
    model?.launch.abort();
    await model?.launch.settled();
    return {
      end,
      diff,
      usage: model?.launch.meter().usage ?? noUsage,
      heardModel,
      sessionIds: model?.launch.sessionIds() ?? [],
      mismatches: model?.failures() ?? [],
    };
  } finally {
    await owned.dispose();
  }
}

async function installed({ agent }: AgentPhase, deps: TrialDeps, signal: AbortSignal) {
  if (agent.package === null) return null;
  return deps.install(agent, signal);
}

interface Acted {
  readonly end: AgentEnd;
  readonly heardModel: boolean;
}

/** What the agent does in its sandbox, until it ends or has to. */
async function act(
  phase: AgentPhase,
  deps: TrialDeps,
  place: { readonly sandbox: Sandbox; readonly model: ModelAccess | null; readonly program: string | null },
  signal: AbortSignal,
): Promise<Acted> {
  const { agent, task } = phase;
  const finished: Acted = { end: { kind: 'finished' }, heardModel: false };
  switch (agent.kind) {
    case 'nop':
      return finished;
    case 'oracle':
      await applyIn(place.sandbox, task.workdir, task.solutionPatch, signal);
      return finished;
    case 'program':
      return runProgram(phase, deps, place, signal);
  }
}

async function runProgram(
  phase: AgentPhase,
  deps: TrialDeps,
  { sandbox, model, program }: { sandbox: Sandbox; model: ModelAccess | null; program: string | null },
  signal: AbortSignal,
): Promise<Acted> {
  const { agent, choice, task } = phase;
  const launch = agent.launch({
    program: program === null ? '' : `${agentPlace}/${program}`,
    workdir: task.workdir,
    home: sandbox.home,
    instruction: task.instruction,
    model: choice.model ?? agent.defaultModel,
    baseUrl: `http://127.0.0.1:${modelPort}/v1`,
    token: model?.launch.launch.token ?? '',
    command: choice.command,
  });
  for (const [path, content] of Object.entries(launch.files ?? {})) {
    await writeHomeFile(sandbox, `${sandbox.home}/${path}`, content, signal);
  }
  const stop = new AbortController();
  let reached: LimitReached | null = null;
  const meter = () => model?.launch.meter() ?? { usage: noUsage, streamingTokens: 0 };
  const watch = new LimitWatch(toLimits(phase, deps), meter, deps.clock, limit => {
    reached = limit;
    stop.abort(new Error(limit.kind));
  });
  const usageListener = model?.launch.onUsage(() => {
    watch.look();
    phase.onUsage(meter().usage);
  });
  const lines = lineReader(line => {
    const event = agent.parseLine(line);
    if (event === null) return;
    watch.heard(event);
    phase.onEvent(event);
  });
  const pace = new OutputPace();
  try {
    const outcome = await sandbox.exec(
      {
        argv: launch.argv,
        cwd: task.workdir,
        env: launch.env,
        ...(launch.stdin === undefined ? {} : { stdin: launch.stdin }),
        onStdout: chunk => {
          const written = phase.logs.stdout(chunk);
          const paced = pace.charge(chunk.length, lines(chunk));
          return written === undefined ? paced : written.then(() => paced);
        },
        onStderr: chunk => {
          const written = phase.logs.stderr(chunk);
          const paced = pace.charge(chunk.length);
          return written === undefined ? paced : written.then(() => paced);
        },
        maxBytes: 64 * 1024,
      },
      AbortSignal.any([signal, stop.signal]),
    );
    await model?.launch.settled();
    watch.look();
    const { exitCode } = outcome;
    if (model !== null && model.launch.refusal() !== null) {
      const tokens = totalTokens(meter().usage) ?? 0;
      return { end: { kind: 'budgetSpent', tokens }, heardModel: watch.heardModel };
    }
    const end: AgentEnd = exitCode === 0 ? { kind: 'finished' } : { kind: 'agentFailed', exitCode: exitCode ?? -1 };
    return { end, heardModel: watch.heardModel };
  } catch (error) {
    signal.throwIfAborted();
    if (reached !== null) return { end: reached, heardModel: watch.heardModel };
    throw error;
  } finally {
    watch.dispose();
    usageListener?.dispose();
  }
}

/** The run's time limit is the user's word, and the same for all its tasks: it counts, whatever a task asks for. */
function toLimits({ limits, task }: AgentPhase, deps: TrialDeps) {
  const { timeoutSec, maxTokens } = limits;
  if (task.agentTimeoutSec !== null && task.agentTimeoutSec !== timeoutSec) {
    deps.log.info(`The agent has ${timeoutSec} s, the run's limit, and not the ${task.agentTimeoutSec} s of the task.`);
  }
  return { timeoutMs: timeoutSec * 1000, maxTokens, ...deps.patience };
}

async function writeHomeFile(sandbox: Sandbox, path: string, content: string, signal: AbortSignal): Promise<void> {
  const script = 'mkdir -p "$(dirname "$1")" && cat > "$1"';
  const argv = ['sh', '-c', script, 'sh', path] as const;
  const { exitCode, stderr } = await sandbox.exec({ argv: [...argv], cwd: '/', env: {}, stdin: content }, signal);
  if (exitCode !== 0)
    throw new CoachError('sandbox.failed', `Can't write ${path} in the sandbox: ${stderr.toString()}`);
}

/** Copies the repository out, as the agent left it, and compares it with the start. */
async function takeDiff(
  sandbox: Sandbox,
  { trialId, task }: AgentPhase,
  deps: TrialDeps,
  owned: DisposableStack,
  signal: AbortSignal,
): Promise<TreeDiff> {
  const scratch = join(deps.workspaces, sandboxName(trialId, 'out'));
  owned.defer(() => rm(scratch, { recursive: true, force: true }));
  await makeScratch(scratch);
  const directory = join(scratch, 'repository');
  await mkdir(directory);
  await sandbox.copyOut(task.workdir, directory, signal);
  return diffDirectory(task.bundle, directory, signal);
}
