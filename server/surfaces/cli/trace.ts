import type { Command } from 'commander';
import { remote } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { toMoney } from '../../../protocol/figures.ts';
import { type SessionSummary, sessions } from '../../../protocol/sessions.ts';
import { agentOfCommand } from '../../agents/recorded.ts';
import { programOnPath } from '../../base/programs.ts';
import { askAgain } from '../../lastingChannel.ts';
import type { CommandContext } from './derived.ts';
import { launchKeys } from './launchKeys.ts';
import { counted, formatTokens } from './table.ts';
import type { Terminal } from './terminal.ts';
import { checkEnvironment, recordingTroubles, runTraced, shellExitCode } from './traced.ts';

interface TraceOptions {
  agent?: string;
  quiet: boolean;
}

/** `codex-coach trace -- <command…>`: any agent, recorded. Its exit code is ours. */
export function addTraceCommand(program: Command, context: CommandContext, exit: (code: number) => void): void {
  program
    .command('trace <command...>')
    .description('Run any agent with its traffic recorded: claude, gemini, opencode, qwen, copilot, pi, cline, …')
    .usage('[options] -- <command> [arguments]')
    .option('--agent <id>', "name to record it under; default: guessed from the program's name")
    .option('--quiet', 'do not tell at the end what was recorded', false)
    .passThroughOptions()
    .action(async (argv: [string, ...string[]], options: TraceOptions) => exit(await trace(argv, options, context)));
}

async function trace(
  argv: [string, ...string[]],
  { agent, quiet }: TraceOptions,
  { terminal, withLastingServer }: CommandContext,
): Promise<number> {
  const note = quiet ? () => undefined : (text: string) => terminal.note(`codex-coach: ${text}`);
  requireProgram(argv[0], terminal);
  const known = agentOfCommand(agent === undefined ? argv : [agent]);
  const keys = known === null ? [] : launchKeys(known, terminal.env, terminal.cwd);
  const given = keys.map(({ name, variable }) => (name === variable ? name : `${name} as ${variable}`));
  if (given.length > 0) note(`the agent is given ${given.join(', ')} of .env or the environment.`);
  return withLastingServer(async channel => {
    await checkEnvironment(channel, terminal.env, note);
    const outcome = await runTraced(
      {
        agent: agent ?? known?.id ?? 'other',
        argv,
        cwd: terminal.cwd,
        env: Object.fromEntries(keys.map(({ variable, value }) => [variable, value])),
      },
      channel,
      terminal,
    );
    if (!quiet) await tellSessions(outcome.sessionIds, channel, note);
    for (const trouble of recordingTroubles(outcome)) note(trouble);
    return shellExitCode(outcome);
  });
}

/** Found before anything is started for it. */
export function requireProgram(program: string, { env }: Terminal): void {
  if (program.includes('/') || program.includes('\\') || programOnPath(program, env) !== null) return;
  throw new CoachError('agent.missing', `No program ${program} on PATH.`, {
    hint: 'Give its path, or install it first.',
  });
}

/** What was recorded, a line for each session; of one that nobody can tell any more only its id. */
export async function tellSessions(
  ids: readonly string[],
  channel: Channel,
  note: (text: string) => void,
): Promise<void> {
  for (const sessionId of ids) {
    // Not by the list, which may read hundreds of Codex's own files. How the agent ended counts, also where this can't be told.
    const told = await askAgain(() => remote(sessions, channel).exchanges({ sessionId })).catch(() => null);
    note(`recorded as session ${sessionId}${told === null ? '' : `: ${figuresOf(told.session)}`}`);
  }
}

function figuresOf({ exchanges, usage, cost }: SessionSummary): string {
  return `${counted(exchanges, 'exchange')}, ${formatTokens(usage)} tokens, ${toMoney(cost)}`;
}
