import { CoachError } from '../../../protocol/errors.ts';
import { noUsage, totalTokens } from '../../../protocol/usage.ts';
import type { Agent, AgentLaunch } from '../../agents/agent.ts';
import { isScript } from '../../agents/install.ts';
import type { Sandbox } from '../../executors/executor.ts';
import { insideNode } from '../../executors/places.ts';
import { lineReader, OutputPace } from './agentOutput.ts';
import type { AgentPhase } from './agentPhase.ts';
import { type AgentLimits, type LimitReached, LimitWatch } from './limits.ts';
import type { ModelAccess } from './modelAccess.ts';
import type { TrialDeps } from './trial.ts';
import { type AgentEnd, notStarted } from './tries.ts';

/** Port inside the sandbox that leads to the proxy. */
export const modelPort = 18_080;
/** Where the agent's own program stands in the sandbox. */
export const agentPlace = '/opt/agent';

const noMeter = { usage: noUsage, streamingTokens: 0, failures: { count: 0, last: null } };

interface ProgramPlace {
  readonly sandbox: Sandbox;
  readonly model: ModelAccess | null;
  readonly program: string | null;
}

/** Runs the agent's program, or goes on with it, until it ends, reaches a limit or is cancelled. */
export async function runProgram(
  phase: AgentPhase,
  deps: TrialDeps,
  place: ProgramPlace,
  signal: AbortSignal,
): Promise<{ end: AgentEnd; heardModel: boolean }> {
  const { sandbox, model } = place;
  const launch = toLaunch(phase, place);
  const hasStarted = phase.adopted?.hasStarted ?? false;
  if (!hasStarted) await writeHomeFiles(sandbox, launch, signal);
  const stop = new AbortController();
  let reached: LimitReached | null = null;
  const meter = () => model?.meter() ?? noMeter;
  const onReached = (limit: LimitReached) => {
    reached = limit;
    stop.abort(new Error(limit.kind));
  };
  if (phase.adopted === null) phase.journal.onAgentStarts();
  const watch = new LimitWatch(toLimits(phase, deps), meter, deps.clock, onReached, phase.adopted?.startedAt);
  const usageListener = model?.launch.onUsage(() => {
    watch.look();
    phase.onUsage(meter().usage);
  });
  try {
    const either = AbortSignal.any([signal, stop.signal]);
    const { exitCode } = await execAgent(phase, sandbox, launch, hasStarted, watch, either);
    await model?.launch.settled();
    watch.look();
    if (model !== null && model.launch.refusal() !== null) {
      const tokens = totalTokens(meter().usage) ?? 0;
      return { end: { kind: 'budgetSpent', tokens }, heardModel: watch.heardModel };
    }
    return { end: toEnd(phase, exitCode ?? -1), heardModel: watch.heardModel };
  } catch (error) {
    signal.throwIfAborted();
    if (reached !== null) return { end: reached, heardModel: watch.heardModel };
    if (error instanceof CoachError && error.code === 'sandbox.diskSpent') {
      return { end: { kind: 'diskSpent' }, heardModel: watch.heardModel };
    }
    throw error;
  } finally {
    watch.dispose();
    usageListener?.dispose();
  }
}

function toEnd({ agent }: AgentPhase, exitCode: number): AgentEnd {
  if (exitCode === 0) return { kind: 'finished' };
  return { kind: 'agentFailed', exitCode, meaning: agent.exitCodes?.[exitCode] ?? notStarted[exitCode] };
}

function execAgent(
  { agent, task, logs, journal, onEvent, onAtWork }: AgentPhase,
  sandbox: Sandbox,
  launch: AgentLaunch,
  hasStarted: boolean,
  watch: LimitWatch,
  signal: AbortSignal,
) {
  const lines = lineReader(line => {
    for (const event of agent.parseLine(line)) {
      watch.heard(event);
      onEvent(event);
    }
  });
  const pace = new OutputPace();
  const { stdoutFrom, stderrFrom } = logs;
  return sandbox.exec(
    {
      argv: launch.argv,
      cwd: task.workdir,
      env: launch.env,
      ...(launch.stdin === undefined ? {} : { stdin: launch.stdin }),
      onStdout: chunk => {
        watch.printed(chunk);
        const written = logs.stdout(chunk);
        const paced = pace.charge(chunk.length, lines(chunk));
        return written === undefined ? paced : written.then(() => paced);
      },
      onStderr: chunk => {
        watch.printed(chunk);
        const written = logs.stderr(chunk);
        const paced = pace.charge(chunk.length);
        return written === undefined ? paced : written.then(() => paced);
      },
      maxBytes: 64 * 1024,
      lasting: {
        ...{ hasStarted, stdoutFrom, stderrFrom },
        onStarted() {
          journal.onAgentStarted();
          onAtWork();
        },
      },
    },
    signal,
  );
}

function toLaunch({ agent, choice, task }: AgentPhase, { sandbox, model, program }: ProgramPlace): AgentLaunch {
  const launch = agent.launch({
    program: programWords(program),
    workdir: task.workdir,
    home: sandbox.home,
    instruction: task.instruction,
    model: choice.model ?? agent.defaultModel,
    baseUrl: `http://127.0.0.1:${modelPort}/v1`,
    token: model?.launch.launch.token ?? '',
    command: choice.command,
  });
  return { ...launch, env: { ...proxyVariables(agent, model !== null), ...launch.env } };
}

function programWords(program: string | null): [string, ...string[]] {
  if (program === null) return [''];
  const path = `${agentPlace}/${program}`;
  return isScript(program) ? [insideNode, path] : [path];
}

/** The proxy refuses every host but the model's, and writes down which one was asked for. */
function proxyVariables({ ignoresNoProxy }: Agent, hasModel: boolean): Record<string, string> {
  if (!hasModel || ignoresNoProxy) return {};
  const proxy = `http://127.0.0.1:${modelPort}`;
  const variables = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: 'localhost,127.0.0.1,::1' };
  // Most programs read the small ones; curl takes HTTP_PROXY in no other way.
  const small = Object.entries(variables).map(([name, value]) => [name.toLowerCase(), value]);
  return { ...variables, ...Object.fromEntries(small) };
}

/** The run's time limit is the user's word, and the same for all its tasks: it counts, whatever a task asks for. */
function toLimits({ limits, task }: AgentPhase, deps: TrialDeps): AgentLimits {
  const { timeoutSec, maxTokens, idleSec } = limits;
  if (task.agentTimeoutSec !== null && task.agentTimeoutSec !== timeoutSec) {
    deps.log.info(`The agent has ${timeoutSec} s, the run's limit, and not the ${task.agentTimeoutSec} s of the task.`);
  }
  const idleMs = idleSec === undefined ? deps.patience.idleMs : idleSec * 1000;
  return { timeoutMs: timeoutSec * 1000, maxTokens, ...deps.patience, idleMs };
}

async function writeHomeFiles(sandbox: Sandbox, { files = {} }: AgentLaunch, signal: AbortSignal): Promise<void> {
  const script = 'mkdir -p "$(dirname "$1")" && cat > "$1"';
  for (const [name, content] of Object.entries(files)) {
    const path = `${sandbox.home}/${name}`;
    const argv = ['sh', '-c', script, 'sh', path] as const;
    const { exitCode, stderr } = await sandbox.exec({ argv: [...argv], cwd: '/', env: {}, stdin: content }, signal);
    if (exitCode === 0) continue;
    throw new CoachError('sandbox.failed', `Can't write ${path} in the sandbox: ${stderr.toString()}`);
  }
}
