import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { agents } from '../../../protocol/agents.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { proxy } from '../../../protocol/proxy.ts';
import { runs } from '../../../protocol/runs.ts';
import { type ServerInfo, server } from '../../../protocol/server.ts';
import { sessions } from '../../../protocol/sessions.ts';
import { suites } from '../../../protocol/suites.ts';
import { tasks } from '../../../protocol/tasks.ts';
import { fileLog, logOptions } from '../../base/log.ts';
import { coachPaths, ensureHome } from '../../base/paths.ts';
import { otherSettings, unheldSettings } from '../../base/settings.ts';
import { version } from '../../base/version.ts';
import {
  type ClientOptions,
  connectToRunningServer,
  connectToServer,
  type ServerConnection,
  whileConnected,
} from '../../connect.ts';
import { LastingChannel } from '../../lastingChannel.ts';
import { runTracedCodex } from './codex.ts';
import { codexNamesake, refuseUnknownHelp } from './codexNamesake.ts';
import { addCreateCommand } from './createTask.ts';
import {
  addDerivedCommand,
  addDerivedCommands,
  type CommandContext,
  type DerivedContext,
  type Unheld,
} from './derived.ts';
import { addEditCommand } from './editTask.ts';
import { addFollowCommand } from './follow.ts';
import { addRegradeCommand, addValidateCommand } from './judge.ts';
import { serverProgram } from './places.ts';
import { addProxyRunCommand } from './proxyRun.ts';
import { addReplayCommand } from './replay.ts';
import { addReviewCommands } from './review.ts';
import { addResumeCommand, addRunCommand } from './run.ts';
import { addServeCommand } from './serve.ts';
import { checkSlashArguments, refuseForgottenSlash, refuseUnknownSlash, slashCommands } from './slash.ts';
import { addStopCommand } from './stop.ts';
import { exitCodes, processTerminal, reportFault, type Terminal } from './terminal.ts';
import { addTraceCommand, tellSessions } from './trace.ts';
import { checkEnvironment, recordingTroubles, shellExitCode, startAnew } from './traced.ts';
import { usageFault } from './usageFault.ts';

const closingHelp = `
Recording:
  codex-coach [codex arguments]      launch Codex with its traffic recorded
  codex-coach --task [arguments]     the same, with the repo_* tools for recording a task
  codex-coach trace -- claude …      the same for any other agent
  codex-coach /test                  check the route; also /status /stats /logs [--follow] /env /hello /now

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a trial reached no verdict, 130 interrupted.
Every list and show command takes --json. Files lie in COACH_HOME (default ~/.codex-coach).`;

/** Adds commands that are put together elsewhere; `exit` sets the exit code. */
export type CommandAdder = (program: Command, context: CommandContext, exit: (code: number) => void) => void;

/** Runs one `codex-coach` command and answers its exit code. */
export async function runCli(argv: readonly string[], more: readonly CommandAdder[]): Promise<number> {
  const terminal = processTerminal();
  const json = argv.includes('--json');
  const context: CommandContext = {
    terminal,
    withServer: (work, unheld) => withServer(terminal, work, unheld),
    withRunningServer: (work, unheld) => withRunningServer(terminal, work, unheld),
    withLastingServer: (work, onReopened) => withLastingServer(terminal, work, onReopened),
  };
  let exitCode: number = exitCodes.ok;
  const exit = (code: number) => {
    exitCode = code;
  };
  const program = buildProgram(context, exit, json);
  for (const add of more) add(program, context, exit);
  try {
    const slash = slashCommands[argv[0] ?? ''];
    if (slash !== undefined) {
      checkSlashArguments(argv[0] ?? '', argv.slice(1));
      return await slash(context, argv.slice(1));
    }
    refuseUnknownHelp(program, argv);
    if (isOurs(program, argv[0])) {
      await program.parseAsync([...argv], { from: 'user' });
      return exitCode;
    }
    refuseUnknownSlash(argv[0] ?? '');
    refuseForgottenSlash(program, argv);
    return await launchCodex(argv, context);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.ok;
      const namesake = codexNamesake(program, argv);
      if (json) return reportFault(usageFault(error, program, argv, namesake), terminal, json);
      if (namesake !== null) terminal.note(namesake);
      return exitCodes.usage;
    }
    return reportFault(error, terminal, json);
  }
}

function buildProgram(context: CommandContext, exit: (code: number) => void, json: boolean): Command {
  const program = new Command('codex-coach')
    .description(
      'Record what coding agents say to their models, turn sessions into tasks, run agents on them, judge the result.',
    )
    .version(version, '-V, --version')
    .addHelpText('after', closingHelp)
    .exitOverride()
    // As JSON, `usageFault` tells the same.
    .configureOutput(json ? { writeErr: () => undefined } : {})
    // What follows a command of ours, such as the command to trace, is its own.
    .enablePositionalOptions();
  const derived: DerivedContext = { ...context, exit };
  addFollowCommand(addDerivedCommands(program, sessions, derived), context.terminal, () =>
    lastingConnection(context.terminal, 'cli'),
  );
  addDerivedCommand(program, sessions.name, 'stats', sessions.members.stats, derived);
  const taskCommands = addDerivedCommands(program, tasks, derived);
  addCreateCommand(taskCommands, context);
  addEditCommand(taskCommands, context);
  addValidateCommand(taskCommands, context);
  addDerivedCommands(program, suites, derived);
  addRunCommand(program, context, exit);
  const runCommands = addDerivedCommands(program, runs, derived);
  addResumeCommand(runCommands, context, exit);
  addRegradeCommand(runCommands, context);
  addReviewCommands(program, derived);
  addDerivedCommands(program, agents, derived);
  addProxyRunCommand(addDerivedCommands(program, proxy, derived), context);
  addStopCommand(addDerivedCommands(program, server, derived), context);
  program
    .command('mcp')
    .description('Serve our tools to an agent over standard input and output (Model Context Protocol)')
    .action(() => runMcp(context.terminal));
  program
    .command('codex [arguments...]')
    .description('Launch Codex with its traffic recorded')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[]) => exit(await launchCodex(args, context)));
  addTraceCommand(program, context, exit);
  addReplayCommand(program, context, exit);
  addServeCommand(program, context.terminal, () => lastingConnection(context.terminal, 'http'));
  return program;
}

function isOurs(program: Command, first: string | undefined): boolean {
  if (first === undefined) return false;
  if (['help', '-h', '--help', '-V', '--version'].includes(first)) return true;
  return program.commands.some(command => command.name() === first || command.aliases().includes(first));
}

/** `codex-coach [codex arguments]`; `--task` as the first one adds our MCP server with its tools approved. */
async function launchCodex(
  argv: readonly string[],
  { terminal, withLastingServer: connect }: CommandContext,
): Promise<number> {
  const withTools = argv[0] === '--task';
  const rest = withTools ? argv.slice(1) : argv;
  const tools = withTools ? ['-c', mcpSetting(terminal.env)] : [];
  const outcome = await connect(async channel => {
    await checkEnvironment(channel, terminal.env, text => terminal.note(`codex-coach: ${text}`));
    const traced = await runTracedCodex({ argv: [...tools, ...rest], cwd: terminal.cwd }, channel, terminal);
    await tellSessions(traced.sessionIds, channel, text => terminal.note(`codex-coach: ${text}`));
    return traced;
  });
  // Other commands of Codex, and a window that is closed again, need not ask a model.
  const asksModel = rest.some(word => word === 'exec' || word === 'e');
  if (asksModel || outcome.unreached.length > 0) {
    for (const trouble of recordingTroubles(outcome)) terminal.note(`codex-coach: ${trouble}`);
  }
  return shellExitCode(outcome);
}

/** The MCP process keeps a log of its own beside the server's, and outlives the server: an agent can't restart it. */
async function runMcp(terminal: Terminal): Promise<void> {
  const paths = coachPaths(terminal.env);
  const channel = lastingConnection(terminal, 'mcp');
  // Only here: every other command would wait for it to load.
  const { serveMcp } = await import('../mcp.ts');
  ensureHome(paths);
  const options = logOptions(terminal.env);
  const { log, close } = fileLog(paths.logs, 'mcp', options);
  const deps = { channel, directory: terminal.cwd, log, known: options.known };
  try {
    await serveMcp([tasks, suites, runs, sessions, agents, proxy], deps, terminal.signal);
  } finally {
    channel.dispose();
    await close();
  }
}

/** Codex's setting for our MCP server. Its own environment is stripped by Codex, so COACH_HOME is given. */
function mcpSetting(env: NodeJS.ProcessEnv): string {
  const program = JSON.stringify(process.execPath);
  const script = JSON.stringify(join(import.meta.dirname, 'cli.cjs'));
  const home = JSON.stringify(coachPaths(env).home);
  // What only reads needs no approval; what spends money or ends runs keeps Codex's own question.
  const approved = ['repo_start_task', 'repo_end_task', 'repo_autofix_readiness']
    .map(tool => `${tool}={approval_mode="approve"}`)
    .join(',');
  return `mcp_servers.codex_coach={command=${program},args=[${script},"mcp"],env={COACH_HOME=${home},ELECTRON_RUN_AS_NODE="1"},required=true,tools={${approved}}}`;
}

/** A way to the server that comes back after the server's end; a command watches, so that the server is back at once. */
function lastingConnection(
  terminal: Terminal,
  client: 'cli' | 'mcp' | 'http',
  onReopened?: () => void,
): LastingChannel {
  const options = { paths: coachPaths(terminal.env), client, program: serverProgram, env: terminal.env };
  return new LastingChannel(options, { watch: client !== 'mcp', ...(onReopened && { onReopened }) });
}

async function withServer<T>(terminal: Terminal, work: (channel: Channel) => Promise<T>, unheld?: Unheld): Promise<T> {
  const connection = await connectToServer({ ...clientOptions(terminal), program: serverProgram, env: terminal.env });
  return inConnection(connection, work, terminal, unheld);
}

async function withRunningServer<T>(
  terminal: Terminal,
  work: (channel: Channel) => Promise<T>,
  unheld?: Unheld,
): Promise<T | null> {
  const connection = await connectToRunningServer(clientOptions(terminal));
  return connection === null ? null : await inConnection(connection, work, terminal, unheld);
}

function clientOptions(terminal: Terminal): ClientOptions {
  return { paths: coachPaths(terminal.env), client: 'cli' };
}

/** Says which variables of this environment have no effect, as the server that runs was started with others. */
function tellUnheld({ settings }: ServerInfo, { env, note }: Terminal): void {
  const unheld = [...otherSettings(env, settings), ...unheldSettings(env, settings)];
  if (unheld.length === 0) return;
  const words = `the background server was not started with this ${unheld.join(', ')}, which has no effect.`;
  note(`codex-coach: ${words} ${startAnew}`);
}

async function inConnection<T>(
  connection: ServerConnection,
  work: (channel: Channel) => Promise<T>,
  terminal: Terminal,
  unheld: Unheld = 'told',
): Promise<T> {
  const { channel, info } = connection;
  try {
    return await whileConnected(connection, async () => {
      if (unheld === 'refused') {
        await checkEnvironment(channel, terminal.env, text => terminal.note(`codex-coach: ${text}`));
      }
      if (unheld !== 'passed over') tellUnheld(info, terminal);
      return work(channel);
    });
  } finally {
    connection.dispose();
  }
}

async function withLastingServer<T>(
  terminal: Terminal,
  work: (channel: Channel) => Promise<T>,
  onReopened?: () => void,
): Promise<T> {
  const channel = lastingConnection(terminal, 'cli', onReopened);
  try {
    return await work(channel);
  } finally {
    channel.dispose();
  }
}
