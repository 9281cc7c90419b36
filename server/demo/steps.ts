import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { agents } from '../../protocol/agents.ts';
import { remote } from '../../protocol/api.ts';
import type { Channel } from '../../protocol/channel.ts';
import { CoachError } from '../../protocol/errors.ts';
import { toDuration } from '../../protocol/figures.ts';
import { type AgentChoice, type RunSummary, runs, type TrialSummary } from '../../protocol/runs.ts';
import { type SessionSummary, sessions } from '../../protocol/sessions.ts';
import { type TaskSummary, tasks } from '../../protocol/tasks.ts';
import { silentLog } from '../base/log.ts';
import type { CoachPaths } from '../base/paths.ts';
import { type Replay, startReplay } from '../proxy/replay/replayServer.ts';
import { Script, scriptedSource } from '../proxy/replay/scripted.ts';
import { runTracedCodex } from '../surfaces/cli/codex.ts';
import { cliProgram, mediaDirectory } from '../surfaces/cli/places.ts';
import { trialTable } from '../surfaces/cli/render.ts';
import { followRun } from '../surfaces/cli/run.ts';
import { formatTokens } from '../surfaces/cli/table.ts';
import type { Terminal } from '../surfaces/cli/terminal.ts';
import { unneededKey } from '../surfaces/cli/traced.ts';
import { createSampleRepository } from '../tasks/sampleProject.ts';
import { codexLines } from './codexLines.ts';
import { liveAccess } from './live.ts';

export interface DemoContext {
  readonly terminal: Terminal;
  readonly channel: Channel;
  readonly paths: CoachPaths;
  readonly live: boolean;
  readonly model: string | null;
}

const attempts = 2;
const stepCount = 6;

/** The main job, step by step. Each step says what it did and where that lies on disk. */
export async function runSteps(demo: DemoContext): Promise<void> {
  const { terminal, channel, paths } = demo;
  const startedMs = Date.now();
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-').slice(0, 19);
  const directory = join(paths.workspaces, `demo-${stamp}`);
  const repository = join(directory, 'sample');

  step(terminal, 1, 'A git repository from the sample project');
  const head = await createSampleRepository(repository, join(mediaDirectory, 'sample'), terminal.signal);
  done(terminal, `${head.commits} commits, start ${head.commit.slice(0, 12)}`, repository);

  step(terminal, 2, 'The Codex CLI in the agent cache');
  const codex = await installCodex(demo);
  done(terminal, `Codex ${codex.version}`, codex.program);

  step(
    terminal,
    3,
    demo.live ? 'Codex with a real model, recorded' : 'Codex against the replay upstream (scripted session), recorded',
  );
  const recordingFile = join(mediaDirectory, 'sample', 'recording.json');
  const recording = Script.parse(JSON.parse(await readFile(recordingFile, 'utf8')));
  await remote(tasks, channel).start({ repository, title: recording.title, notes: recording.prompt }, terminal.signal);
  const session = await record(demo, { directory, repository, recording, program: codex.program }).catch(
    async (error: unknown) => {
      await remote(tasks, channel)
        .discard({ repository })
        .catch(() => undefined);
      throw error;
    },
  );
  done(
    terminal,
    `${session.exchanges} exchanges, ${formatTokens(session.usage)} tokens, session ${session.id}`,
    paths.tracesDb,
  );

  step(terminal, 4, 'The session as a task: captured, prepared, proven');
  const task = await capture(demo, repository, session);

  step(terminal, 5, `3 agents × ${attempts} attempts in a sandbox`);
  const { run, trials } = await bench(demo, repository, task, session, recordingFile);

  step(terminal, 6, 'The report');
  const { file } = await remote(runs, channel).report({ runId: run.id }, terminal.signal);
  done(terminal, 'One HTML file, complete in itself', file);
  terminal.print(closing(demo, file, repository, Date.now() - startedMs));
  const unjudged = trials.filter(trial => trial.reward === null);
  if (unjudged.length > 0) {
    throw new CoachError(
      'verifier.failed',
      `${unjudged.length} of ${trials.length} trials reached no verdict: ${unjudged[0]?.error?.message ?? 'see the run log'}`,
    );
  }
}

async function installCodex({ channel, terminal }: DemoContext): Promise<{ program: string; version: string }> {
  const api = remote(agents, channel);
  const progress = api.on('installProgress', ({ text }) => terminal.print(`      ${text}`));
  try {
    const codex = await api.install({ agent: 'codex' }, terminal.signal);
    if (codex.path === null) throw new CoachError('agent.missing', 'The Codex CLI is not where it was installed.');
    return { program: codex.path, version: codex.pinnedVersion ?? '' };
  } finally {
    progress.dispose();
  }
}

interface RecordSpec {
  readonly directory: string;
  readonly repository: string;
  readonly recording: Script;
  readonly program: string;
}

/** Runs Codex once, traced; answers the session it left in the trace store. */
async function record(demo: DemoContext, spec: RecordSpec): Promise<SessionSummary> {
  const replay = demo.live ? null : await startReplay(scriptedSource(spec.recording), silentLog);
  let sessionIds: readonly string[];
  try {
    sessionIds = await codexTurn(demo, spec, replay);
  } finally {
    await replay?.dispose();
  }
  const [sessionId] = sessionIds;
  if (sessionId === undefined) {
    throw new CoachError('session.missing', 'Codex ended, but nothing was recorded.', {
      hint: 'See: codex-coach /test and codex-coach /logs',
    });
  }
  return (await remote(sessions, demo.channel).show({ sessionId })).session;
}

/** @returns ids of the sessions that it was recorded under */
async function codexTurn(demo: DemoContext, spec: RecordSpec, replay: Replay | null): Promise<readonly string[]> {
  const { terminal, channel } = demo;
  const model = demo.live ? demo.model : spec.recording.model;
  // A scripted session's commands are ours; a real model's are not, so Codex's own sandbox stays on for it.
  const sandbox = demo.live ? ['-s', 'workspace-write'] : ['--dangerously-bypass-approvals-and-sandbox'];
  const quiet = ['-c', 'otel.metrics_exporter="none"', '-c', 'analytics.enabled=false', '--disable', 'plugins'];
  const argv = [
    'exec',
    '--json',
    ...sandbox,
    ...quiet,
    ...(model === null ? [] : ['-m', model]),
    spec.recording.prompt,
  ];
  const env = demo.live ? liveAccess(terminal.env, terminal.cwd).env : await scriptedEnvironment(spec.directory);
  const errors: Buffer[] = [];
  const { exitCode, sessionIds } = await runTracedCodex(
    {
      argv,
      cwd: spec.repository,
      program: spec.program,
      env,
      // Codex asks chatgpt.com for its models even with a key; unanswered, that costs seconds.
      overrides:
        replay === null ? [] : ['api.openai.com', 'chatgpt.com'].map(host => ({ host, target: replay.origin })),
      replay: replay !== null,
      onStdout: codexLines(text => terminal.print(`      ${text}`)),
      onStderr: chunk => void errors.push(chunk),
    },
    channel,
    terminal,
  );
  terminal.signal.throwIfAborted();
  const failure = replay?.failures()[0];
  if (failure !== undefined) {
    throw new CoachError('replay.mismatch', `Codex did not go as recorded: ${failure}`, {
      hint: 'Another Codex version or another machine may answer differently. Report it with this text.',
    });
  }
  if (exitCode !== 0) {
    throw new CoachError(
      'sandbox.failed',
      `Codex ended with exit code ${exitCode}: ${Buffer.concat(errors).toString().trim().split('\n').at(-1) ?? ''}`,
    );
  }
  return sessionIds;
}

/** A Codex that knows nothing of the user's own: its own home, and a key that is none. */
async function scriptedEnvironment(directory: string): Promise<Record<string, string>> {
  const home = join(directory, 'codex-home');
  await mkdir(home, { recursive: true });
  return { CODEX_HOME: home, CODEX_API_KEY: unneededKey };
}

async function capture(
  { terminal, channel }: DemoContext,
  repository: string,
  session: SessionSummary,
): Promise<TaskSummary> {
  const api = remote(tasks, channel);
  const created = await api.end({ repository, sessionId: session.id }, terminal.signal);
  done(terminal, `created ${created.id}`, created.directory);
  const prepared = await api.prepare({ repository, task: created.id }, terminal.signal);
  done(terminal, `prepared ${prepared.id}: one commit, hidden tests, solution apart`, prepared.directory);
  const proven = await api.validate({ repository, task: prepared.id }, terminal.signal);
  done(
    terminal,
    `proven in ${proven.proof?.executor}: reference = ${proven.proof?.reference}, no-op = ${proven.proof?.noOp}`,
    join(proven.directory, 'task.toml'),
  );
  return proven;
}

async function bench(
  demo: DemoContext,
  repository: string,
  task: TaskSummary,
  session: SessionSummary,
  recordingFile: string,
): Promise<{ run: RunSummary; trials: TrialSummary[] }> {
  const { terminal, channel } = demo;
  const api = remote(runs, channel);
  // Not given up on Ctrl-C: a run that has begun must be cancelled, which followRun does.
  const started = await api.start({
    repository,
    tasks: [task.id],
    agents: choices(demo, session, recordingFile),
    attempts,
    keys: keysOf(demo),
  });
  terminal.print(`      run ${started.id} in ${started.executor}`);
  await followRun(started, channel, terminal, line => terminal.print(`    ${line}`));
  terminal.signal.throwIfAborted();
  const { run, trials } = await api.show({ runId: started.id });
  done(terminal, `${trials.length} trials judged by hidden tests`, run.directory);
  terminal.print(`\n${indent(trialTable(trials))}\n`);
  for (const sentence of run.notIsolated) terminal.print(`      Not isolated: ${sentence}`);
  return { run, trials };
}

function keysOf({ live, terminal }: DemoContext): Record<string, string> {
  return live ? { ...liveAccess(terminal.env, terminal.cwd).keys } : {};
}

function choices(demo: DemoContext, session: SessionSummary, recordingFile: string): AgentChoice[] {
  const plain = { model: null, command: null, replay: null };
  const others = [
    { ...plain, id: 'oracle', label: null },
    { ...plain, id: 'nop', label: null },
  ];
  if (!demo.live) return [{ ...plain, id: 'codex', label: 'codex (replay)', replay: recordingFile }, ...others];
  const access = liveAccess(demo.terminal.env, demo.terminal.cwd);
  const codex = access.keyForTrials
    ? { ...plain, id: 'codex', label: null, model: demo.model ?? session.models[0] ?? null }
    : { ...plain, id: 'codex', label: 'codex (replay)', replay: `session:${session.id}` };
  return [codex, ...others];
}

function closing(demo: DemoContext, report: string, repository: string, elapsedMs: number): string {
  const home = demo.terminal.env['COACH_HOME'] ? `COACH_HOME=${demo.paths.home} ` : '';
  return [
    `Done in ${toDuration(elapsedMs)}.`,
    '',
    `Open the report:   ${pathToFileURL(report).href}`,
    ...(demo.live ? [] : ['With a real model: npm start -- --live']),
    'In the editor:     npm run vscode',
    `Look around:       cd ${repository} && ${home}${process.execPath} ${cliProgram} runs list`,
  ].join('\n');
}

function step(terminal: Terminal, number: number, title: string): void {
  terminal.signal.throwIfAborted();
  terminal.print(`\n${number}/${stepCount}  ${title}`);
}

function done(terminal: Terminal, text: string, place: string): void {
  terminal.print(`      ✓ ${text}\n        ${place}`);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '      ');
}
