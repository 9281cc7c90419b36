import { constants } from 'node:os';
import { remote } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { otherPort } from '../../../protocol/heldSettings.ts';
import { type Launch, noProxyOf, proxy, type Unreached, type UpstreamOverride } from '../../../protocol/proxy.ts';
import { unreachedSentence } from '../../../protocol/proxyWarnings.ts';
import { server } from '../../../protocol/server.ts';
import type { BaseUrls, OwnRoute } from '../../agents/routes/ownRoute.ts';
import { atMost, unlessAborted } from '../../base/clock.ts';
import { type ExecOutcome, type Execution, start } from '../../base/exec.ts';
import { outerProxyOf } from '../../base/outerProxy.ts';
import { coachPaths } from '../../base/paths.ts';
import { otherSettings } from '../../base/settings.ts';
import { askAgain } from '../../lastingChannel.ts';
import { agentRoute, launchSecrets } from './agentRoute.ts';
import { LaunchFiles } from './launchFiles.ts';
import type { Terminal } from './terminal.ts';

/** Agents do not start without a key; nobody is shown this one. */
export const unneededKey = 'replay-needs-no-key';

/** How long the end of an agent's launch may take: a server that can't come back must not keep the terminal. */
const longestCloseMs = 20_000;

/** Said after an agent that was to be recorded, and was not or not all along. */
export function recordingTroubles({ closed, sessionIds, unreached }: TracedOutcome): string[] {
  const failures = unreached.map(unreachedSentence);
  if (sessionIds.length > 0) return failures;
  if (!closed) return ['the background server ended meanwhile. What it has recorded: codex-coach sessions list'];
  return [['nothing was recorded.', ...failures, 'Check the route with: codex-coach doctor'].join(' ')];
}

export interface TracedCommand {
  /** Name under which it is recorded. */
  readonly agent: string;
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** Where its model is; without any, and without a recording, where its own base URLs lead. */
  readonly overrides?: readonly UpstreamOverride[];
  readonly replay?: boolean;
  /** Answers it instead of a model; `pace` is a factor on the recorded times. */
  readonly recording?: { readonly reference: string; readonly pace: number };
  /** Added to the terminal's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Lines of output; without it the agent has the terminal to itself. */
  readonly onStdout?: (chunk: Buffer) => void;
  readonly onStderr?: (chunk: Buffer) => void;
}

export interface TracedOutcome extends ExecOutcome {
  /** False when no server knew the launch any more, or none answered: then nothing else is known of its recording. */
  readonly closed: boolean;
  /** What it was recorded under, oldest first; empty when nothing was. */
  readonly sessionIds: readonly string[];
  /** Where the agent left its recording, in words. */
  readonly mismatches: readonly string[];
  /** Model hosts that it did not reach in the end. */
  readonly unreached: readonly Unreached[];
}

/** Runs an agent with its traffic recorded and waits for its end. The launch is closed whatever happens. */
export async function runTraced(spec: TracedCommand, channel: Channel, terminal: Terminal): Promise<TracedOutcome> {
  const proxyApi = remote(proxy, channel);
  const own: NodeJS.ProcessEnv = { ...terminal.env, ...spec.env };
  const isReplayed = spec.recording !== undefined;
  const route = await agentRoute(spec.agent, { argv: spec.argv, env: own, cwd: spec.cwd, isReplayed });
  await checkRoute(route, isReplayed, channel, text => terminal.note(`codex-coach: ${text}`));
  const overrides = spec.overrides ?? [];
  const { baseUrls, settings } = overrides.length === 0 ? route : { baseUrls: {}, settings: {} };
  const launch = await askAgain(() =>
    proxyApi.launch({
      agent: spec.agent,
      overrides: [...overrides],
      replay: spec.replay ?? isReplayed,
      noProxy: noProxyOf({ ...terminal.env, ...route.variables }),
      secrets: launchSecrets({ ...own, ...route.variables }, spec.argv),
      pid: process.pid,
      directory: spec.cwd,
      baseUrls,
      settings,
      ...(spec.recording === undefined ? {} : { recording: spec.recording }),
    }),
  );
  const files = new LaunchFiles(coachPaths(terminal.env).home);
  const close = () => {
    files.dispose();
    return closeLaunch(launch.token, channel, terminal.signal);
  };
  let outcome: ExecOutcome;
  try {
    const led = await route.command({ env: launch.env, settings: launch.settings, file: files.write });
    if (isReplayed && route.keyVariable !== null) own[route.keyVariable] ||= unneededKey;
    const env = { ...environmentOf(own, launch.env, baseUrls), ...led.env };
    outcome = await runIn(env, { ...spec, argv: led.argv }, terminal);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...outcome, ...(await close()) };
}

/** The agent's environment with what the launch gives and removes. */
function environmentOf(own: NodeJS.ProcessEnv, launched: Launch['env'], baseUrls: BaseUrls): NodeJS.ProcessEnv {
  const env = { ...own };
  for (const [name, value] of Object.entries(launched)) {
    if (value !== null) env[name] = value;
    // Not by an older server either: with its key the agent would go elsewhere.
    else if (!(name in baseUrls)) delete env[name];
  }
  return env;
}

/**
 * What the agent's own configuration says that no launch can change.
 * @throws CoachError `input.invalid` in a replay of what would ask a model
 */
async function checkRoute(
  { unrecorded = null, variables = {} }: OwnRoute,
  isReplayed: boolean,
  channel: Channel,
  note: (text: string) => void,
): Promise<void> {
  if (unrecorded !== null && isReplayed) {
    throw new CoachError('input.invalid', unrecorded, { hint: 'In a replay it would ask a real model.' });
  }
  if (unrecorded !== null) note(unrecorded);
  const configured = outerProxyOf(variables);
  if (configured === null || isReplayed) return;
  const { outerProxy } = await askAgain(() => remote(server, channel).status({}));
  const problem = outerProxyProblem(configured, outerProxy, 'the agent’s settings');
  if (problem !== null) note(problem);
}

/** A second Ctrl-C, or one after the agent's end, waits no longer. */
async function closeLaunch(
  token: string,
  channel: Channel,
  interrupt: AbortSignal,
): Promise<Omit<TracedOutcome, keyof ExecOutcome>> {
  const ask = () => askAgain(() => remote(proxy, channel).close({ token }));
  const answer = interrupt.aborted ? ask() : unlessAborted(ask(), interrupt);
  const late = () => new CoachError('server.unreachable', 'The background server does not answer.');
  return atMost(longestCloseMs, answer, late).catch(() => ({
    closed: false,
    sessionIds: [],
    mismatches: [],
    unreached: [],
  }));
}

async function runIn(env: NodeJS.ProcessEnv, spec: TracedCommand, terminal: Terminal): Promise<ExecOutcome> {
  const inherit = spec.onStdout === undefined;
  const execution = start({
    argv: spec.argv,
    cwd: spec.cwd,
    env,
    inherit,
    ...(spec.onStdout === undefined ? {} : { onStdout: spec.onStdout }),
    ...(spec.onStderr === undefined ? {} : { onStderr: spec.onStderr }),
  });
  const release = inherit ? passSignals(execution, terminal) : endWith(execution, terminal);
  try {
    return await execution.done;
  } finally {
    release();
  }
}

/** Exit code as a shell tells it: 128 and the signal's number when a signal ended the program. */
export function shellExitCode({ exitCode, signal }: Pick<ExecOutcome, 'exitCode' | 'signal'>): number {
  return exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** With the terminal its own, the agent hears Ctrl-C itself and decides what it means; the rest is passed on. */
function passSignals(execution: Execution, terminal: Terminal): () => void {
  return terminal.handOver(signal => {
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    execution.signal(signal);
  });
}

function endWith(execution: Execution, terminal: Terminal): () => void {
  const abort = () => void execution.kill();
  terminal.signal.addEventListener('abort', abort, { once: true });
  if (terminal.signal.aborted) abort();
  return () => terminal.signal.removeEventListener('abort', abort);
}

/**
 * The server keeps the environment that it was started with. Says so when it reaches model hosts another way than this
 * terminal would.
 * @throws CoachError `input.invalid` when settings of this environment do not hold: a budget, or where traffic goes
 */
export async function checkEnvironment(
  channel: Channel,
  env: NodeJS.ProcessEnv,
  note: (text: string) => void,
): Promise<void> {
  const here = outerProxyOf(env);
  const { outerProxy, settings } = await askAgain(() => remote(server, channel).status({}));
  const other = otherSettings(env, settings);
  if (other.length > 0) {
    throw new CoachError('input.invalid', `The background server was not started with this ${other.join(', ')}.`, {
      hint: 'To start it anew with this environment: codex-coach server stop. Or unset it, to use the server as it is.',
    });
  }
  await checkPort(channel, env);
  const problem = outerProxyProblem(here, outerProxy);
  if (problem !== null) note(`${problem} ${startAnew}`);
}

/** Where agents of an earlier server may still send, the proxy is there again, whatever the server was started with. */
async function checkPort(channel: Channel, env: NodeJS.ProcessEnv): Promise<void> {
  if (!env['PROXY_PORT']) return;
  const { port } = await askAgain(() => remote(proxy, channel).status({}));
  const wanted = otherPort(env, port);
  if (wanted === null) return;
  const words = `The recording proxy listens on port ${port}, where earlier agents may still be, not on PROXY_PORT=${wanted}.`;
  throw new CoachError('input.invalid', words, {
    hint: 'End those agents (close their terminals), then: codex-coach server stop. Or unset it, to use the proxy as it is.',
  });
}

/** What a difference between a terminal's way out and the server's means; null without one. `who`: whose way it is. */
export function outerProxyProblem(here: string | null, server: string | null, who = 'this terminal'): string | null {
  if (here === null || here === server) return null;
  const way = server === null ? 'directly' : `through ${server}`;
  return `The background server reaches model hosts ${way}, not through ${here} as ${who}.`;
}

/** Said where what the running server was started with is in the way. */
export const startAnew = 'To start it anew with this environment: codex-coach server stop';
